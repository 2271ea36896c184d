import { IconHelpCircle } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useProvider, type ClientWho, type List, type Why } from '../../api';
import { actWords, Av, DataTable, Empty, ErrorState, fmt, Go, PageHead, Pager, SearchBox, SideDrawer, SkLines, text, useAddress, useList } from '../../ui';
import { ActionSelect, ThroughList } from './bits';
import { INSIDE } from './inside';

/** Who of our own people may do something, client by client. */
export default function ClientWhyPage() {
  const { t } = useTranslation();
  const provider = useProvider();
  const list = useList({ sort: 'name', sorts: [], filters: {} });
  const [{ action, tenant, person }, set] = useAddress({ action: text, tenant: text, person: text });
  const { sort: _sort, ...rest } = list.query;
  const query = { ...rest, action };
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.provider(provider.slug, 'why', query), enabled: Boolean(action), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<ClientWho>>(path`/providers/${provider.slug}/why`, query, signal) });
  return (
    <>
      <PageHead title={t('why.providerTitle')} sub={action && data ? t('why.providerSub', { count: data.total, act: actWords(action) }) : t('why.providerAsk')} />
      <div className="asking"><ActionSelect label={t('why.action')} actions={INSIDE} value={action} onChange={(v) => set({ action: v, cursor: undefined })} /></div>
      {!action ? <Empty icon={IconHelpCircle} title={t('why.askWho')}>{t('why.providerAsk')}</Empty> : (
        <>
          <div className="tools"><SearchBox label={t('tenants.search')} value={list.view.q} onChange={(q) => list.set({ q })} /></div>
          <DataTable<ClientWho> caption={t('why.providerTitle')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(r) => r.tenant.id} empty={<Empty title={t(list.filtered ? 'ui.nothingMatches' : 'why.whoNobody')} />} tone={(r) => (r.people.length ? undefined : 'quiet')}
            columns={[
              { key: 'client', title: t('tenants.name'), cell: (r) => <span className="row"><Av slug={r.tenant.slug} name={r.tenant.name} small /><Go to={`/tenants/${r.tenant.slug}`} className="semi">{r.tenant.name}</Go></span> },
              { key: 'n', title: t('why.people'), num: true, width: 90, cell: (r) => fmt.num(r.people.length) },
              { key: 'people', title: t('why.who'), cell: (r) => (r.people.length === 0 ? <span className="dim">{t('why.nobody')}</span> : <ul className="pills">{r.people.map((p) => <li key={p.id}><button type="button" className="tier plain-tier" onClick={() => set({ tenant: r.tenant.slug, person: p.id })}><b>{p.name}</b> {p.through.tier ?? ''}</button></li>)}</ul>) },
            ]} />
          <Pager list={list} page={data} />
        </>
      )}
      <SideDrawer opened={Boolean(tenant && person && action)} onClose={() => set({ tenant: undefined, person: undefined })} title={t('why.answer')} size={520}>{tenant && person && action && <One tenant={tenant} person={person} action={action} />}</SideDrawer>
    </>
  );
}
function One({ tenant, person, action }: { tenant: string; person: string; action: string }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const { data: a, error, refetch } = useQuery({ queryKey: keys.provider(provider.slug, 'why-one', tenant, person, action), queryFn: ({ signal }) => api.get<Why>(path`/providers/${provider.slug}/tenants/${tenant}/why`, { person, action }, signal) });
  if (error && !a) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!a) return <SkLines lines={5} />;
  const name = a.person?.name ?? t('why.somebody');
  return <div className="fields"><h2 className="flush">{t(a.allowed ? 'why.yes' : 'why.no', { name, act: actWords(action), place: tenant })}</h2><p className="flush">{a.why} {!a.allowed && a.needs && t('ui.needs', { needs: a.needs })}</p><p className="flush xs dim">{t('why.policy')} <span className="mono">{a.policy}</span></p><ThroughList steps={a.through} empty={t('why.noGrant', { name, place: tenant })} /></div>;
}
