import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import { api, keys, path, useProvider, type MspLicence } from '../../api';
import { Badge, ErrorState, fmt, Panel, RelativeTime, SkLines, Usage } from '../../ui';

const TONES = { valid: 'good', grace: 'near', expired: 'bad' } as const;
const DAY_MS = 86_400_000;

/** What this installation is licensed for, and how much of it is used. The operator activates and renews on the server. */
export function LicenceCard() {
  const { t } = useTranslation();
  const provider = useProvider();
  const { data, error, refetch } = useQuery({ queryKey: keys.provider(provider.slug, 'msp-licence'), queryFn: ({ signal }) => api.get<MspLicence>(path`/providers/${provider.slug}/msp-licence`, undefined, signal) });
  return <Panel title={t('mspLicence.title')} pad actions={data && <Badge tone={data.licence ? TONES[data.licence.state] : 'plain'}>{t(data.licence ? `mspLicence.state.${data.licence.state}` : 'mspLicence.evaluation')}</Badge>}>{error && !data ? <ErrorState error={error} retry={() => void refetch()} /> : data ? <Facts data={data} /> : <SkLines lines={6} />}</Panel>;
}
function Facts({ data: { licence: l, tenants } }: { data: MspLicence }) {
  const { t } = useTranslation();
  const used = tenants.max === null ? t('mspLicence.usedUnlimited', { used: fmt.num(tenants.used) }) : t('mspLicence.used', { used: fmt.num(tenants.used), max: fmt.num(tenants.max) });
  const warning = l?.problem ?? (l?.state === 'grace' ? t('mspLicence.graceNote', { date: fmt.date(new Date(Date.parse(l.expires_at) + l.grace_days * DAY_MS).toISOString()) }) : l?.state === 'expired' ? t('mspLicence.expiredNote') : tenants.max !== null && tenants.used >= tenants.max ? t('mspLicence.fullNote') : null);
  return (
    <div className="fields">
      {warning && <p className="note flush">{warning}</p>}
      <dl className="facts">
        <dt>{t('mspLicence.tenants')}</dt><dd><span className="num">{used}</span>{tenants.max !== null && <Usage used={tenants.used} limit={tenants.max} label={`${t('mspLicence.tenants')}: ${used}`} />}</dd>
        {l && <><dt>{t('mspLicence.customer')}</dt><dd>{l.customer}</dd><dt>{t('mspLicence.expires')}</dt><dd>{fmt.date(l.expires_at)} <span className="dim">(<RelativeTime at={l.expires_at} />)</span></dd><dt>{t('mspLicence.grace')}</dt><dd>{t('mspLicence.graceDays', { count: l.grace_days })}</dd><dt>{t('mspLicence.issued')}</dt><dd>{fmt.date(l.issued_at)}</dd><dt>{t('mspLicence.issuer')}</dt><dd>{l.issuer_name ?? <span className="mono break">{l.issuer}</span>}</dd><dt>{t('mspLicence.id')}</dt><dd className="mono">{l.id}</dd></>}
      </dl>
      {!l && <><p className="flush dim2 sm">{t('mspLicence.evaluationText')}</p><p className="flush dim2 sm">{t('mspLicence.howTo')} <code className="mono">tenantry licence activate FILE</code></p></>}
    </div>
  );
}
