import { Tabs } from '@mantine/core';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useTenant, type List, type Override } from '../../api';
import { Act, Badge, DataTable, Empty, fmt, Gate, Go, GoButton, oneOf, PageHead, Pager, RelativeTime, tenantPath, toast, useConfirm, useList, useNow } from '../../ui';

const STATES = ['active', 'expired', 'revoked'] as const;
const SOON_MS = 14 * 86_400_000;

export default function Overrides() {
  const { t } = useTranslation();
  return <Gate title={t('overrides.title')} action="override.list" module="compliance"><Page /></Gate>;
}
function Page() {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const client = useQueryClient();
  const now = useNow();
  const [confirm, ask] = useConfirm();
  const list = useList({ sort: 'expires', sorts: ['expires', 'created'], filters: { state: oneOf(STATES) } });
  const state = list.view.state ?? 'active';
  const query = { ...list.query, state };
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.tenant(slug, 'overrides', query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<Override>>(path`/tenants/${slug}/overrides`, query, signal) });
  const rows = isPlaceholderData && data?.items.some((o) => o.state !== state) ? undefined : data?.items;
  const what = (o: Override) => (o.scope === 'control' ? o.control.uid : (o.finding?.title ?? o.control.title));
  const revoke = (o: Override) => ask({ title: t('override.revokeTitle'), danger: true, label: t('override.revoke'), lines: [t(o.scope === 'control' ? 'override.revokeLineControl' : 'override.revokeLine', { what: what(o) }), t('override.revokeScore')], run: async () => { await api.del(path`/tenants/${slug}/overrides/${o.id}`); await client.invalidateQueries({ queryKey: keys.tenant(slug) }); toast(t('override.revoked')); } });
  const soon = data?.items.filter((o) => o.state === 'active' && Date.parse(o.expires_at) - now < SOON_MS).length ?? 0;
  const empty = <Empty title={t(`overrides.empty.${state}`)} action={state === 'active' && <GoButton variant="default" to={tenantPath(slug, 'findings')}>{t('overrides.toFindings')}</GoButton>}>{t(`overrides.emptyText.${state}`)}</Empty>;
  return (
    <>
      <PageHead title={t('overrides.title')} sub={rows && (state === 'active' && soon > 0 ? `${t('overrides.sub.active', { count: data?.total ?? 0 })} · ${t('overrides.soon', { count: soon })}` : t(`overrides.sub.${state}`, { count: data?.total ?? 0 }))} />
      <Tabs value={state} onChange={(v) => list.set({ state: v === 'active' ? undefined : (v as 'expired') })}>
        <Tabs.List mb={16}>{STATES.map((s) => <Tabs.Tab key={s} value={s}>{t(`state.${s}`)}</Tabs.Tab>)}</Tabs.List>
        <Tabs.Panel value={state}>
          <DataTable<Override> caption={t('overrides.title')} rows={rows} error={error} retry={() => void refetch()} rowKey={(o) => o.id} empty={empty} sort={list.view.sort} onSort={list.toggleSort}
            columns={[
              { key: 'what', title: t('overrides.what'), cell: (o) => <span className="block min0 what-cell">{o.scope === 'finding' && o.finding ? <Go to={tenantPath(slug, 'findings')} search={{ finding: o.finding.id, status: state === 'active' ? 'overridden' : undefined }} className="semi">{o.finding.title}</Go> : <Go to={tenantPath(slug, 'compliance')} search={{ control: o.control.id }} className="semi">{o.control.title}</Go>}<span className="xs dim block">{o.control.uid}</span></span> },
              { key: 'scope', title: t('override.scope'), cell: (o) => <Badge tone={o.scope === 'control' ? 'near' : 'plain'}>{t(`override.scopes.${o.scope}`)}</Badge> },
              { key: 'reason', title: t('override.reason'), cell: (o) => <details className="reason"><summary className="clamp">{o.reason}</summary></details> },
              { key: 'by', title: t('overrides.by'), sort: 'created', cell: (o) => <span className="nowrap">{o.created_by.name}<span className="xs dim block"><RelativeTime at={o.created_at} /></span></span> },
              state === 'revoked'
                ? { key: 'revoked', title: t('overrides.revokedBy'), cell: (o) => <span className="nowrap">{o.revoked_by?.name ?? '–'}<span className="xs dim block"><RelativeTime at={o.revoked_at} /></span></span> }
                : { key: 'expires', title: t(state === 'active' ? 'overrides.expires' : 'overrides.expired'), sort: 'expires', cell: (o) => <span className={state === 'active' && Date.parse(o.expires_at) - now < SOON_MS ? 'near-ink semi' : undefined}><RelativeTime at={o.expires_at} /><span className="xs dim block">{fmt.date(o.expires_at)}</span></span> },
              ...(state === 'active' ? [{ key: 'acts', title: t('ui.actions'), quiet: true, cell: (o: Override) => <span className="end"><Act size="compact-sm" variant="default" can={permission(can, 'override.revoke')} onClick={() => revoke(o)}>{t('override.revoke')}<span className="vh">: {what(o)}</span></Act></span> }] : []),
            ]} />
          <Pager list={list} page={data} />
        </Tabs.Panel>
      </Tabs>
      {confirm}
    </>
  );
}
