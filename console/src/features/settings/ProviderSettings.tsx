import { Switch, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, may, path, permission, providerQuery, useProvider, type Provider, type ProviderSettingList } from '../../api';
import { Act, ErrorState, FormProblem, PageHead, Panel, SkLines, toast, useApiForm, useChecks } from '../../ui';
import { SettingsForm } from '../../ui/settings';
import { LicenceCard } from './LicenceCard';
import { Presets } from './Presets';

export default function ProviderSettings() {
  const { t } = useTranslation();
  const provider = useProvider();
  return (
    <>
      <PageHead title={t('settings.title')} sub={t('settings.sub', { provider: provider.name })} />
      <div className="stack">
        <div className="split"><General key={provider.version} provider={provider} />{may(provider.can, 'msp_licence.view') && <LicenceCard />}</div>
        {may(provider.can, 'preset.list') && <Presets />}
        {may(provider.can, 'provider_setting.list') && <Settings />}
      </div>
    </>
  );
}
function General({ provider }: { provider: Provider }) {
  const { t } = useTranslation();
  const check = useChecks();
  const client = useQueryClient();
  const can = permission(provider.can, 'provider.update');
  const f = useApiForm({
    initial: { name: provider.name, sub_providers: provider.settings.sub_providers }, validate: { name: check.filled }, rename: { 'settings.sub_providers': 'sub_providers' },
    save: async ({ name, sub_providers }) => {
      const next = await api.patch<Provider>(path`/providers/${provider.slug}`, { name: name.trim(), settings: { sub_providers } }, provider.version);
      client.setQueryData(providerQuery(provider.slug).queryKey, next);
      void client.invalidateQueries({ queryKey: keys.me });
      void client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'settings') });
      toast(t('settings.saved'));
    },
  });
  const g = f.form.getInputProps;
  const off = !can.allowed;
  return (
    <Panel title={t('settings.general')} pad>
      <form onSubmit={f.submit} noValidate className="fields">
        {off && <p className="note flush">{t('settings.readOnly')}</p>}
        <FormProblem problem={f.problem} />
        <TextInput label={t('settings.name')} description={t('settings.nameHelp')} required maw={420} readOnly={off} {...g('name')} />
        <dl className="facts"><dt>{t('settings.slug')}</dt><dd className="mono">{provider.slug}</dd><dt>{t('settings.id')}</dt><dd className="mono">{provider.id}</dd></dl>
        {provider.parent && provider.ceiling && <p className="flush dim2 sm">{t('settings.parent', { name: provider.parent.name, tier: provider.ceiling })}</p>}
        <Switch label={t('settings.subProviders')} description={t('settings.subProvidersHelp')} disabled={off} {...g('sub_providers', { type: 'checkbox' })} />
        <div><Act type="submit" can={can} loading={f.pending}>{t('settings.save')}</Act></div>
      </form>
    </Panel>
  );
}
/** All typed settings of the provider. */
function Settings() {
  const provider = useProvider();
  const client = useQueryClient();
  const to = path`/providers/${provider.slug}/settings`;
  const key = keys.provider(provider.slug, 'settings');
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get<ProviderSettingList>(to, undefined, signal) });
  if (error && !data) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!data) return <Panel pad><SkLines lines={10} /></Panel>;
  return <SettingsForm groups={data.groups} scope="provider" can={permission(provider.can, 'provider_setting.update')} save={async (settings) => { client.setQueryData(key, await api.patch<ProviderSettingList>(to, { settings }, data.version)); void client.invalidateQueries({ queryKey: keys.provider(provider.slug) }); }} />;
}
