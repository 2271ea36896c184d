import { NumberInput, Switch } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useTenant, type TenantSettings as Settings } from '../../api';
import { SettingsForm } from '../../ui/settings';
import { Act, ErrorState, FormProblem, fmt, Gate, PageHead, Panel, SkLines, toast, useApiForm, useReason } from '../../ui';

const DAYS_MAX = 90;

export default function TenantSettings() {
  const { t } = useTranslation();
  return <Gate title={t('tenantSettings.title')} action="setting.view"><Page /></Gate>;
}
function Page() {
  const { t } = useTranslation();
  const { slug, tenant } = useTenant();
  const { data, error, refetch } = useQuery({ queryKey: keys.tenant(slug, 'settings'), queryFn: ({ signal }) => api.get<Settings>(path`/tenants/${slug}/settings`, undefined, signal) });
  return (
    <>
      <PageHead title={t('tenantSettings.title')} sub={t('tenantSettings.sub', { name: tenant.name })} />
      {error && !data ? <ErrorState error={error} retry={() => void refetch()} /> : data ? <div className="stack narrow"><Form key={data.version} settings={data} />{data.settings && data.settings.length > 0 && <Typed settings={data} />}</div> : <div className="stack narrow"><Panel pad><SkLines lines={8} /></Panel></div>}
    </>
  );
}
/** What the organisation decides of sign-in and of how staff enter; never laxer than its provider. */
function Typed({ settings: s }: { settings: Settings }) {
  const { slug, can } = useTenant();
  const client = useQueryClient();
  return <SettingsForm groups={[{ key: 'sign_in', settings: s.settings ?? [] }]} scope="tenant" can={permission(can, 'setting.update')} save={async (settings) => { client.setQueryData(keys.tenant(slug, 'settings'), await api.patch<Settings>(path`/tenants/${slug}/settings`, { settings }, s.version)); void client.invalidateQueries({ queryKey: keys.tenant(slug) }); }} />;
}
function Form({ settings: s }: { settings: Settings }) {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  const client = useQueryClient();
  const may = permission(can, 'setting.update');
  const why = useReason({ can: may });
  const off = why !== null;
  const f = useApiForm({
    initial: { scan_interval_days: s.scan_interval_days as number | string, comments_from_t1: s.comments_from_t1, staff_may_name_admins: s.staff_may_name_admins ?? false },
    validate: { scan_interval_days: (v) => (typeof v === 'number' && Number.isInteger(v) && v >= 1 && v <= DAYS_MAX ? null : t('tenantSettings.intervalRange', { max: fmt.num(DAYS_MAX) })) },
    save: async (v) => {
      const next = await api.patch<Settings>(path`/tenants/${slug}/settings`, v, s.version);
      client.setQueryData(keys.tenant(slug, 'settings'), next);
      void client.invalidateQueries({ queryKey: keys.tenant(slug) });
      toast(t('settings.saved'));
    },
  });
  const g = f.form.getInputProps;
  return (
    <form onSubmit={f.submit} noValidate className="stack">
      {off && <p className="note flush">{t('settings.readOnly')} {why}</p>}
      <FormProblem problem={f.problem} />
      <Panel title={t('tenantSettings.scans')} pad><NumberInput label={t('tenantSettings.interval')} description={t('tenantSettings.intervalHelp')} required w="100%" maw={320} min={1} max={DAYS_MAX} allowDecimal={false} suffix={t('tenantSettings.daysSuffix')} readOnly={off} {...g('scan_interval_days')} /></Panel>
      <Panel title={t('tenantSettings.provider')} pad><div className="fields">
        <Switch label={t('tenantSettings.comments')} description={t('tenantSettings.commentsHelp')} disabled={off} {...g('comments_from_t1', { type: 'checkbox' })} />
        <Switch label={t('tenantSettings.nameAdmins')} description={t('tenantSettings.nameAdminsHelp')} disabled={off} {...g('staff_may_name_admins', { type: 'checkbox' })} />
        <dl className="facts"><dt>{t('settings.staffShown')}</dt><dd>{t(s.staff_shown === 'by_name' ? 'settings.byName' : 'settings.byRole')}<span className="xs dim block">{t('tenantSettings.byProvider')}</span></dd></dl>
      </div></Panel>
      <Panel title={t('settings.identity')} pad><dl className="facts"><dt>{t('settings.slug')}</dt><dd className="mono">{tenant.slug}</dd><dt>{t('settings.id')}</dt><dd className="mono">{tenant.id}</dd></dl></Panel>
      <div><Act type="submit" can={may} loading={f.pending}>{t('settings.save')}</Act></div>
    </form>
  );
}
