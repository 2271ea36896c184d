import { Button, Select } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import '../../ui/business.css';
import '../../ui/tenant.css';
import { api, apiUrl, keys, path, useProvider, type Revenue as RevenueData } from '../../api';
import { Av, DataTable, Empty, fmt, Go, Kpi, KpiStrip, PageHead, Pager, SearchBox, useList, type Parser } from '../../ui';
import { isMonth, lastMonths, monthsBefore } from './months';

const month: Parser<string> = (raw) => (isMonth(raw) ? raw : undefined);
const MONTHS_BACK = 36;
const SHOWN = 6;
interface Line { id: string; tenant: RevenueData['items'][number]['tenant'] | null; plan: string | null; currency: string; months: number[]; total_micros: number }

/** Who pays how much, month by month. Each currency has its own total: nothing is converted. */
export default function Revenue() {
  const { t } = useTranslation();
  const provider = useProvider();
  const now = Date.now();
  const choices = lastMonths(now, MONTHS_BACK);
  const list = useList({ sort: 'name', sorts: ['name'], filters: { from: month, to: month } });
  const to = list.view.to ?? choices[0]!;
  const from = list.view.from && list.view.from <= to ? list.view.from : monthsBefore(to, SHOWN - 1);
  const query = { q: list.view.q, cursor: list.view.cursor, limit: 50, from, to };
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.provider(provider.slug, 'revenue', query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<RevenueData>(path`/providers/${provider.slug}/revenue`, query, signal) });
  const lines: Line[] | undefined = data && (data.items.length === 0 ? [] : [...data.items.map((r) => ({ id: r.tenant.id + r.currency, ...r })), ...data.totals.map((x) => ({ id: `total-${x.currency}`, tenant: null, plan: null, ...x }))]);
  const span = { from: fmt.month(from), to: fmt.month(to) };
  const months = data?.months ?? [];
  const options = (values: string[]) => values.map((m) => ({ value: m, label: fmt.month(m) }));
  return (
    <>
      <PageHead title={t('revenue.title')} sub={data && (data.totals.length > 0 ? t('revenue.sub', { ...span, total: data.totals.map((x) => fmt.micros(x.total_micros, x.currency)).join(' + ') }) : t('revenue.subNone', span))}>
        <Button component="a" variant="default" leftSection={<IconDownload size={16} />} href={apiUrl(path`/providers/${provider.slug}/revenue/export`, { q: list.view.q, from, to })} download title={t('revenue.exportHint')}>{t('ui.exportCsv')}</Button>
      </PageHead>
      {data && data.totals.length > 0 && <KpiStrip>{data.totals.map((x) => <Kpi key={x.currency} label={t('revenue.totalIn', { currency: x.currency })} value={<span className="kpi-word">{fmt.micros(x.total_micros, x.currency)}</span>} note={<Bars months={months} values={x.months} currency={x.currency} />} />)}</KpiStrip>}
      <div className="tools">
        <SearchBox label={t('revenue.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        <Select aria-label={t('revenue.from')} w={140} data={options(choices.filter((m) => m <= to))} value={from} onChange={(v) => list.set({ from: v ?? undefined })} />
        <Select aria-label={t('revenue.to')} w={140} data={options(choices.filter((m) => m >= from))} value={to} onChange={(v) => list.set({ to: v ?? undefined })} />
      </div>
      <DataTable<Line> caption={t('revenue.title')} rows={lines} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(r) => r.id} tone={(r) => (r.tenant ? undefined : 'total')}
        empty={list.view.q ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('revenue.empty')} action={<Go to="/plans" className="chip">{t('revenue.toPlans')}</Go>}>{t('revenue.emptyText')}</Empty>}
        columns={[
          { key: 'client', title: t('revenue.client'), cell: (r) => (r.tenant ? <span className="row"><Av slug={r.tenant.slug} name={r.tenant.name} small /><Go to={`/tenants/${r.tenant.slug}`} className="semi trunc">{r.tenant.name}</Go></span> : t('revenue.totalIn', { currency: r.currency })) },
          { key: 'plan', title: t('revenue.plan'), cell: (r) => r.plan ?? '' },
          ...months.map((m, i) => ({ key: m, title: m === choices[0] ? `${fmt.month(m)} (${t('revenue.running')})` : fmt.month(m), num: true, cell: (r: Line) => <span className={r.months[i] ? undefined : 'dim'}>{fmt.micros(r.months[i] ?? 0, r.currency)}</span> })),
          { key: 'total', title: t('revenue.total'), num: true, cell: (r) => <b>{fmt.micros(r.total_micros, r.currency)}</b> },
        ]} />
      <Pager list={list} page={data} />
    </>
  );
}
const BAR = 10;
const HEIGHT = 26;
/** Decoration beside the total: the table has the numbers. */
function Bars({ months, values, currency }: { months: string[]; values: number[]; currency: string }) {
  const top = Math.max(1, ...values);
  return <svg width={values.length * (BAR + 3)} height={HEIGHT} aria-hidden>{values.map((v, i) => { const h = Math.max(v > 0 ? 2 : 1, (v / top) * HEIGHT); return <rect key={months[i]} x={i * (BAR + 3)} y={HEIGHT - h} width={BAR} height={h} rx={2} fill={v > 0 ? 'var(--chart-1)' : 'var(--line-strong)'}><title>{`${months[i]}: ${fmt.micros(v, currency)}`}</title></rect>; })}</svg>;
}
