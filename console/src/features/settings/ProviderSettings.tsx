import { Radio, Switch, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, providerQuery, useProvider, type Provider } from '../../api';
import { Act, FormProblem, PageHead, Panel, toast, useApiForm, useChecks } from '../../ui';

export default function ProviderSettings() {
  const { t } = useTranslation();
  const provider = useProvider();
  return <><PageHead title={t('settings.title')} sub={t('settings.sub', { provider: provider.name })} /><Form key={provider.version} provider={provider} /></>;
}
function Form({ provider }: { provider: Provider }) {
  const { t } = useTranslation();
  const check = useChecks();
  const client = useQueryClient();
  const can = permission(provider.can, 'provider.update');
  const f = useApiForm({
    initial: { name: provider.name, access_mode: provider.settings.access_mode as string, sub_providers: provider.settings.sub_providers, staff_shown: provider.settings.staff_shown as string },
    validate: { name: check.filled }, rename: { 'settings.access_mode': 'access_mode', 'settings.sub_providers': 'sub_providers', 'settings.staff_shown': 'staff_shown' },
    save: async ({ name, ...settings }) => {
      const next = await api.patch<Provider>(path`/providers/${provider.slug}`, { name: name.trim(), settings }, provider.version);
      client.setQueryData(providerQuery(provider.slug).queryKey, next);
      void client.invalidateQueries({ queryKey: keys.me });
      toast(t('settings.saved'));
    },
  });
  const g = f.form.getInputProps;
  const off = !can.allowed;
  return (
    <form onSubmit={f.submit} noValidate className="stack narrow">
      {off && <p className="note flush">{t('settings.readOnly')}</p>}
      <FormProblem problem={f.problem} />
      <Panel title={t('settings.general')} pad>
        <div className="fields">
          <TextInput label={t('settings.name')} description={t('settings.nameHelp')} required maw={420} readOnly={off} {...g('name')} />
          <dl className="facts"><dt>{t('settings.slug')}</dt><dd className="mono">{provider.slug}</dd><dt>{t('settings.id')}</dt><dd className="mono">{provider.id}</dd></dl>
          {provider.parent && provider.ceiling && <p className="flush dim2 sm">{t('settings.parent', { name: provider.parent.name, tier: provider.ceiling })}</p>}
        </div>
      </Panel>
      <Panel title={t('settings.access')} pad>
        <div className="fields">
          <Radio.Group label={t('settings.accessMode')} {...g('access_mode')} readOnly={off}><div className="choices"><Radio value="tiered" disabled={off} label={t('settings.tiered')} description={t('settings.tieredHelp')} /><Radio value="explicit" disabled={off} label={t('settings.explicit')} description={t('settings.explicitHelp')} /></div></Radio.Group>
          {f.form.values.access_mode === 'explicit' && provider.settings.access_mode !== 'explicit' && <p className="note flush">{t('settings.explicitWarn')}</p>}
          <Radio.Group label={t('settings.staffShown')} {...g('staff_shown')} readOnly={off}><div className="choices"><Radio value="by_name" disabled={off} label={t('settings.byName')} description={t('settings.byNameHelp')} /><Radio value="by_role" disabled={off} label={t('settings.byRole')} description={t('settings.byRoleHelp')} /></div></Radio.Group>
          <Switch label={t('settings.subProviders')} description={t('settings.subProvidersHelp')} disabled={off} {...g('sub_providers', { type: 'checkbox' })} />
        </div>
      </Panel>
      <div><Act type="submit" can={can} loading={f.pending}>{t('settings.save')}</Act></div>
    </form>
  );
}
