import { Button } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import '../../ui/business.css';
import { api, apiUrl, keys, LIMITS, may, path, permission, useTenant, type Bill as BillData, type BillLine, type BillList, type Limit, type TenantLicence } from '../../api';
import { Badge, DataTable, Empty, ErrorState, fmt, Gate, Kpi, KpiStrip, PageHead, Panel, SideDrawer, SkLines, text, Usage, useAddress, useReason } from '../../ui';

export default function Bill() {
  const { t } = useTranslation();
  return <Gate title={t('bill.title')} action="bill.list"><Page /></Gate>;
}
/** What the organisation has, what it may use, and what it costs. */
function Page() {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const [{ bill }, set] = useAddress({ bill: text });
  const { data, error, refetch } = useQuery({ queryKey: keys.tenant(slug, 'bills'), queryFn: ({ signal }) => api.get<BillList>(path`/tenants/${slug}/bills`, undefined, signal) });
  const noCsv = useReason({ can: permission(can, 'bill.export') });
  if (error && !data) return <><PageHead title={t('bill.title')} /><ErrorState error={error} retry={() => void refetch()} /></>;
  const plan = data?.plan;
  const running = data?.items.find((b) => b.state === 'running');
  const opened = data?.items.find((b) => b.period === bill);
  const trial = plan?.trial_until && Date.parse(plan.trial_until) > Date.now() ? fmt.date(plan.trial_until) : null;
  const csv = (period?: string) => apiUrl(path`/tenants/${slug}/bills/export`, { period });
  return (
    <>
      <PageHead title={t('bill.title')} sub={plan && t(trial ? 'bill.subTrial' : 'bill.sub', { plan: plan.name, n: String(plan.number), date: trial ?? '' })}>
        {!noCsv && <Button component="a" variant="default" leftSection={<IconDownload size={16} />} href={csv()} download>{t('bill.csv')}</Button>}
      </PageHead>
      <KpiStrip>
        <Kpi label={t('bill.plan')} loading={!plan} value={<span className="kpi-word">{plan?.name}</span>} note={plan && t('bill.version', { n: String(plan.number) })} />
        <Kpi label={t('bill.soFar')} loading={!data} value={running ? fmt.micros(running.total_micros, running.currency) : '–'} />
        <Kpi label={t('bill.seats')} loading={!data} value={fmt.num(data?.seats.used ?? 0)} note={data && (data.seats.max === null ? t('bill.unlimited') : t('bill.ofSeats', { max: fmt.num(data.seats.max) }))} tone={data && data.seats.max !== null && data.seats.used > data.seats.max ? 'bad' : undefined} />
        <Kpi label={t('bill.trialUntil')} loading={!data} value={<span className="kpi-word">{trial ?? t('bill.noTrial')}</span>} />
      </KpiStrip>
      <div className="split gap-b">
        <Panel title={t('bill.plan')} pad>{plan ? (
          <dl className="facts">
            <dt>{t('bill.modules')}</dt><dd><span className="row wrap tight">{plan.modules.map((m) => <Badge key={m}>{t(`module.${m}` as 'module.compliance', { defaultValue: m })}</Badge>)}</span></dd>
            <dt>{t('bill.price')}</dt><dd>{t('bill.perMonth', { price: fmt.micros(plan.price.month, plan.price.currency) })}<span className="block dim2">{t('bill.perSeat', { price: fmt.micros(plan.price.seat, plan.price.currency) })}</span></dd>
            <ClosedModules />
          </dl>) : <SkLines lines={5} />}</Panel>
        <Panel title={t('bill.limits')} pad>{may(can, 'licence.view') ? <Limits /> : plan ? <dl className="facts">{LIMITS.map((l) => <Row key={l} label={t(`limit.${l}`)}>{plan.limits[l] === null ? t('bill.unlimited') : fmt.num(plan.limits[l])}</Row>)}</dl> : <SkLines lines={5} />}</Panel>
      </div>
      <h2>{t('bill.history')}</h2>
      <DataTable<BillData> caption={t('bill.history')} rows={data?.items} rowKey={(b) => b.period} skeletonRows={4} onRow={(b) => set({ bill: b.period })} empty={<Empty title={t('bill.empty')}>{t('bill.emptyText')}</Empty>}
        columns={[
          { key: 'period', title: t('bill.period'), cell: (b) => <button type="button" className="plain semi" onClick={() => set({ bill: b.period })}>{fmt.month(b.period)}</button> },
          { key: 'state', title: t('bill.state'), cell: (b) => <Badge tone={b.state === 'running' ? 'near' : 'plain'}>{t(`bill.states.${b.state}`)}</Badge> },
          { key: 'plan', title: t('bill.plan'), cell: (b) => `${b.plan.name} ${b.plan.number}` },
          { key: 'seats', title: t('bill.seats'), num: true, cell: (b) => fmt.num(b.seats) },
          { key: 'total', title: t('bill.total'), num: true, cell: (b) => <b>{fmt.micros(b.total_micros, b.currency)}</b> },
        ]} />
      <SideDrawer opened={opened !== undefined} onClose={() => set({ bill: undefined })} title={opened ? t('bill.open', { month: fmt.month(opened.period) }) : ''} size={680}>{opened && <Lines bill={opened} csv={noCsv ? null : csv(opened.period)} />}</SideDrawer>
    </>
  );
}
const Row = ({ label, children }: { label: string; children: React.ReactNode }) => <><dt>{label}</dt><dd>{children}</dd></>;
/** What left the plan, and until when its data is there. */
function ClosedModules() {
  const { t } = useTranslation();
  const closed = useTenant().tenant.closed_modules ?? [];
  return closed.map((c) => <Row key={c.module} label=""><span className="near-ink">{t('bill.closed', { module: t(`module.${c.module}` as 'module.compliance', { defaultValue: c.module }), date: fmt.date(c.closed_at) })}</span><span className="block xs dim">{t('bill.closedKept', { date: fmt.date(c.kept_until) })}</span></Row>);
}
function Limits() {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const { data, error, refetch } = useQuery({ queryKey: keys.tenant(slug, 'licence'), queryFn: ({ signal }) => api.get<TenantLicence>(path`/tenants/${slug}/licence`, undefined, signal) });
  if (error && !data) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!data) return <SkLines lines={5} />;
  const words = (l: Limit) => { const { used, max } = data.limits[l]; return max === null ? t('bill.usedUnlimited', { used: fmt.num(used) }) : t('bill.used', { used: fmt.num(used), max: fmt.num(max) }); };
  return (
    <><p className="flush sm dim2 gap-b8">{t('bill.limitsText')}</p>
      <ul className="bars">{LIMITS.map((l) => { const s = data.limits[l]; return <li key={l}><div className="bar-row"><span>{t(`limit.${l}`)}<span className="xs dim block">{s.max !== null && t(`bill.at.${s.enforcement}`)}</span></span><span className={s.max !== null && s.used > s.max ? 'num crit' : 'num'}>{words(l)}</span></div><Usage used={s.used} limit={s.max} label={`${t(`limit.${l}`)}: ${words(l)}`} /></li>; })}</ul></>
  );
}
function Lines({ bill, csv }: { bill: BillData; csv: string | null }) {
  const { t } = useTranslation();
  const lines = bill.lines.map((line, i) => ({ ...line, id: String(i) }));
  return (
    <div className="fields">
      {bill.state === 'running' && <p className="note flush">{t('bill.runningNote')}</p>}
      <DataTable<BillLine & { id: string }> caption={t('bill.lines')} rows={lines} rowKey={(l) => l.id} empty={<Empty bare title={t('bill.empty')} />}
        columns={[
          { key: 'what', title: t('bill.what'), cell: (l) => <span>{l.label}<span className="xs dim block">{t(`bill.kinds.${l.kind}`)}</span></span> },
          { key: 'span', title: t('bill.span'), cell: (l) => <span className="sm dim2">{fmt.day(l.from)} – {fmt.day(l.to)}</span> },
          { key: 'quantity', title: t('bill.quantity'), num: true, cell: (l) => t(l.kind === 'seats' ? 'bill.nSeats' : 'bill.nDays', { count: l.quantity }) },
          { key: 'unit', title: t('bill.unit'), num: true, cell: (l) => fmt.micros(l.unit_micros, bill.currency) },
          { key: 'amount', title: t('bill.amount'), num: true, cell: (l) => fmt.micros(l.amount_micros, bill.currency) },
        ]} />
      <div className="row"><b className="grow">{t('bill.total')}</b><b className="num">{fmt.micros(bill.total_micros, bill.currency)}</b></div>
      {csv && <div><Button component="a" variant="default" size="compact-md" leftSection={<IconDownload size={15} />} href={csv} download>{t('bill.csvOf', { month: fmt.month(bill.period) })}</Button></div>}
    </div>
  );
}
