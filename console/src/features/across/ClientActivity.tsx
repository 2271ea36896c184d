import { TextInput } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useProvider, type ClientActivity as Row, type List, type Unreadable } from '../../api';
import { ActedAs, Chips, DataTable, Empty, EntryDetail, oneOf, PageHead, Pager, RelativeTime, SearchBox, SideDrawer, StateBadge, text, useActionName, useList } from '../../ui';
import { ClientCell, ClientFilter, NotRead } from './shared';

const OUTCOMES = ['done', 'refused', 'failed'] as const;
/** What happened in the clients, newest first. */
export default function ClientActivity() {
  const { t } = useTranslation();
  const provider = useProvider();
  const name = useActionName();
  const [opened, setOpened] = useState<Row | null>(null);
  const list = useList({ sort: '-at', sorts: [], filters: { outcome: oneOf(OUTCOMES), actor: text, action: text, tenant: text, from: text, to: text } });
  const { view, set } = list;
  const { sort: _sort, from, to, ...rest } = list.query;
  const query = { ...rest, from: from ? new Date(`${String(from)}T00:00:00`).toISOString() : undefined, to: to ? new Date(`${String(to)}T23:59:59.999`).toISOString() : undefined };
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.provider(provider.slug, 'client-activity', query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<Row> & Unreadable>(path`/providers/${provider.slug}/activity`, query, signal) });
  return (
    <>
      <PageHead title={t('nav.activity')} sub={t('across.activity', { provider: provider.name })} />
      <div className="tools">
        <SearchBox label={t('ledger.search')} value={view.q} onChange={(q) => set({ q })} w={260} />
        <span className="grow" />
        <TextInput type="date" aria-label={t('ledger.from')} leftSection={<span className="xs dim">{t('ledger.from')}</span>} leftSectionWidth={48} w={180} value={view.from ?? ''} max={view.to} onChange={(e) => set({ from: e.currentTarget.value || undefined })} />
        <TextInput type="date" aria-label={t('ledger.to')} leftSection={<span className="xs dim">{t('ledger.to')}</span>} leftSectionWidth={40} w={172} value={view.to ?? ''} min={view.from} onChange={(e) => set({ to: e.currentTarget.value || undefined })} />
        <ClientFilter value={view.tenant} onChange={(tenant) => set({ tenant })} />
      </div>
      <div className="tools"><Chips label={t('ledger.outcome')} value={view.outcome} onChange={(outcome) => set({ outcome })} options={[{ value: undefined, label: t('ui.all') }, ...OUTCOMES.map((o) => ({ value: o, label: t(`state.${o}`) }))]} /></div>
      <NotRead of={data} />
      <DataTable<Row> caption={t('nav.activity')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(r) => `${r.tenant.id}${r.entry.id}`} onRow={setOpened} skeletonRows={12}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('ledger.empty')}>{t('across.noActivity')}</Empty>}
        columns={[
          { key: 'what', title: t('ledger.action'), cell: (r) => <button type="button" className="plain semi" onClick={() => setOpened(r)}>{name(r.entry.action)}</button> },
          { key: 'tenant', title: t('alerts.client'), cell: (r) => <ClientCell of={r.tenant} page="ledger" /> },
          { key: 'subject', title: t('ledger.subject'), cell: (r) => <span className="dim2 clip">{r.entry.subject?.label ?? r.entry.subject?.id ?? '–'}</span> },
          { key: 'who', title: t('ledger.who'), cell: (r) => <span className="row wrap tight"><span>{r.entry.actor.name}</span><ActedAs entry={r.entry} /></span> },
          { key: 'outcome', title: t('ledger.outcome'), cell: (r) => <StateBadge state={r.entry.outcome} /> },
          { key: 'at', title: t('ledger.when'), cell: (r) => <span className="dim2"><RelativeTime at={r.entry.at} /></span> },
        ]} />
      <Pager list={list} page={data} />
      <SideDrawer opened={opened !== null} onClose={() => setOpened(null)} title={opened ? `${name(opened.entry.action)} · ${opened.tenant.name}` : ''} size={560}>{opened && <EntryDetail entry={opened.entry} />}</SideDrawer>
    </>
  );
}
