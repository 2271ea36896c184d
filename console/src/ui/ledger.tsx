import { Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { LedgerEntry, List } from '../api';
import '../i18n/business';
import { Badge, StateBadge } from './bits';
import { CopyIcon } from './copy';
import { diff } from './diff';
import { SideDrawer } from './form';
import { exact } from './format';
import { Chips, Pager, SearchBox, type ListState } from './list';
import { Empty } from './page';
import { oneOf, text } from './search';
import { DataTable } from './table';
import { RelativeTime } from './time';

const OUTCOMES = ['done', 'refused', 'failed'] as const;
/** Filters of every ledger, for useList. */
export const ledgerFilters = { action: text, actor: text, outcome: oneOf(OUTCOMES), from: text, to: text, entry: text };
export const ledgerList = { sort: '-at', sorts: ['at'], filters: ledgerFilters } as const;
type LedgerList = ListState<typeof ledgerFilters>;
/** The query for the API: days of the address become instants, the opened entry stays here. */
export function ledgerQuery({ query }: Pick<LedgerList, 'query'>) {
  const { sort: _sort, entry: _entry, from, to, ...rest } = query;
  return { ...rest, from: from ? new Date(`${String(from)}T00:00:00`).toISOString() : undefined, to: to ? new Date(`${String(to)}T23:59:59.999`).toISOString() : undefined };
}

/** Who acted, through what: "technician T2", "admin", "system". */
export function ActedAs({ entry }: { entry: Pick<LedgerEntry, 'actor' | 'as'> }) {
  const { t } = useTranslation();
  const as = entry.as;
  const words = !as ? (entry.actor.kind === 'person' ? null : t(`ledger.actor.${entry.actor.kind}`)) : [as.provider?.name, as.role && t(`role.${as.role}` as 'role.admin', { defaultValue: as.role }), as.tier].filter(Boolean).join(' · ');
  return words ? <span className="tier">{words}</span> : null;
}
/** An action's name in words, or as it is when we have none. */
export function useActionName() {
  const { t } = useTranslation();
  return (action: string) => { const key = action.replaceAll('.', '_'); return t([`action.${key}`, `acted.${key}`] as unknown as 'action.tenant_create', { defaultValue: action }); };
}

export function LedgerView({ list, page, error, retry, stale, tenantFilter }: { list: LedgerList; page: List<LedgerEntry> | undefined; error: unknown; retry: () => void; stale?: boolean; tenantFilter?: React.ReactNode }) {
  const { t } = useTranslation();
  const name = useActionName();
  const [opened, setOpened] = useState<LedgerEntry | null>(null);
  const { view, set } = list;
  return (
    <>
      <div className="tools">
        <SearchBox label={t('ledger.search')} value={view.q} onChange={(q) => set({ q })} w={260} />
        <span className="grow" />
        {tenantFilter}
        <Select aria-label={t('ledger.action')} placeholder={t('ledger.anyAction')} w={210} searchable clearable allowDeselect value={view.action ?? null} onChange={(v) => set({ action: v ?? undefined })} data={ACTIONS.map((a) => ({ value: a, label: name(a) }))} />
      </div>
      <div className="tools">
        <Chips label={t('ledger.outcome')} value={view.outcome} onChange={(outcome) => set({ outcome })} options={[{ value: undefined, label: t('ui.all') }, ...OUTCOMES.map((o) => ({ value: o, label: t(`state.${o}`) }))]} />
        <span className="grow" />
        <TextInput type="date" aria-label={t('ledger.from')} leftSection={<span className="xs dim">{t('ledger.from')}</span>} leftSectionWidth={48} w={180} value={view.from ?? ''} max={view.to} onChange={(e) => set({ from: e.currentTarget.value || undefined })} />
        <TextInput type="date" aria-label={t('ledger.to')} leftSection={<span className="xs dim">{t('ledger.to')}</span>} leftSectionWidth={40} w={172} value={view.to ?? ''} min={view.from} onChange={(e) => set({ to: e.currentTarget.value || undefined })} />
      </div>
      <DataTable<LedgerEntry> caption={t('ledger.title')} rows={page?.items} error={error} retry={retry} stale={stale} rowKey={(e) => e.id} onRow={setOpened}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty title={t('ledger.empty')}>{t('ledger.emptyText')}</Empty>}
        columns={[
          { key: 'what', title: t('ledger.action'), cell: (e) => <button type="button" className="plain semi" onClick={() => setOpened(e)}>{name(e.action)}</button> },
          { key: 'subject', title: t('ledger.subject'), cell: (e) => <span className="dim2 clip">{e.subject?.label ?? e.subject?.id ?? '–'}</span> },
          { key: 'who', title: t('ledger.who'), cell: (e) => <span className="row wrap tight"><span>{e.actor.name}</span><ActedAs entry={e} />{e.actor.key && <Badge>{t('ledger.byKey', { name: e.actor.key.name })}</Badge>}</span> },
          { key: 'outcome', title: t('ledger.outcome'), cell: (e) => <StateBadge state={e.outcome} /> },
          { key: 'at', title: t('ledger.when'), cell: (e) => <span className="dim2"><RelativeTime at={e.at} /></span> },
        ]} />
      <Pager list={list} page={page} />
      <SideDrawer opened={opened !== null} onClose={() => setOpened(null)} title={opened ? name(opened.action) : ''} size={560}>{opened && <EntryDetail entry={opened} />}</SideDrawer>
    </>
  );
}

export function EntryDetail({ entry: e }: { entry: LedgerEntry }) {
  const { t } = useTranslation();
  return (
    <div className="fields">
      <dl className="facts">
        <dt>{t('ledger.when')}</dt><dd>{exact(e.at)}</dd>
        <dt>{t('ledger.who')}</dt><dd><span className="row wrap tight">{e.actor.name} <ActedAs entry={e} /></span></dd>
        {e.actor.key && <><dt>{t('ledger.key')}</dt><dd>{e.actor.key.name} <span className="mono dim">{e.actor.key.id}</span></dd></>}
        {e.as && <><dt>{t('ledger.through')}</dt><dd>{e.as.source === 'break_glass' ? <Badge tone="bad">{t('ledger.source.break_glass')}</Badge> : t(`ledger.source.${e.as.source}` as 'ledger.source.membership', { defaultValue: e.as.source })}{e.as.id && <span className="mono dim"> {e.as.id}</span>}</dd></>}
        <dt>{t('ledger.action')}</dt><dd className="mono">{e.action}</dd>
        <dt>{t('ledger.subject')}</dt><dd>{e.subject ? <>{e.subject.label ?? ''} <span className="mono dim">{e.subject.id}</span></> : '–'}</dd>
        <dt>{t('ledger.outcome')}</dt><dd><StateBadge state={e.outcome} />{e.code && <span className="mono dim"> {e.code}</span>}</dd>
        {e.reason && <><dt>{t('ledger.reason')}</dt><dd>{e.reason}</dd></>}
        {e.address && <><dt>{t('ledger.address')}</dt><dd className="mono">{e.address}</dd></>}
        <dt>{t('ledger.request')}</dt><dd className="mono">{e.request_id} <CopyIcon value={e.request_id} label={t('ui.copyWhat', { what: t('ledger.request') })} /></dd>
        <dt>{t('ledger.number')}</dt><dd className="num">{e.seq}</dd>
        <dt>{t('ledger.hash')}</dt><dd className="mono break">{e.hash}</dd>
      </dl>
      <h3 className="flush">{t('ledger.changes')}</h3>
      {e.changes.length === 0 && <p className="dim2 flush sm">{t('ledger.noChanges')}</p>}
      {e.changes.map((c, i) => <section key={`${c.id}-${i}`} aria-label={c.id}><p className="sm flush"><Badge>{c.kind}</Badge> <span className="mono dim">{c.id}</span></p><DiffView before={c.before} after={c.after} /></section>)}
    </div>
  );
}
export function DiffView({ before, after }: { before: unknown; after: unknown }) {
  const { t } = useTranslation();
  const lines = diff(before, after);
  return (
    <table className="diff"><caption className="vh">{t('ledger.changes')}</caption><thead><tr><th scope="col">{t('ledger.field')}</th><th scope="col">{t('ledger.before')}</th><th scope="col">{t('ledger.after')}</th></tr></thead>
      <tbody>{lines.map((l) => <tr key={l.path} className={l.kind}><th scope="row" className="mono">{l.path || '·'}</th><td>{l.before === undefined ? <span className="dim">–</span> : l.kind === 'same' ? l.before : <del>{l.before}</del>}</td><td>{l.after === undefined ? <span className="dim">–</span> : l.kind === 'same' ? l.after : <ins>{l.after}</ins>}</td></tr>)}</tbody>
    </table>
  );
}

const ACTIONS = ['tenant.create', 'tenant.update', 'tenant.suspend', 'tenant.resume', 'tenant.archive', 'tenant.restore', 'tenant.purge', 'relationship.update', 'staff.invite', 'staff.update', 'staff.disable', 'staff.enable', 'staff.remove', 'staff_invitation.revoke', 'assignment.create', 'assignment.update', 'assignment.delete', 'provider.update', 'sub_provider.create', 'sub_provider.update', 'member.invite', 'member.update', 'member.disable', 'member.enable', 'member.remove', 'member_invitation.revoke', 'setting.update', 'scan.import', 'finding.assign', 'finding.take', 'override.create', 'override.revoke', 'comment.create', 'session.create', 'session.verify', 'session.delete', 'invitation.accept', 'password.update', 'totp.confirm', 'totp.delete', 'recovery_code.create', 'session.step_up', 'provider_access.freeze', 'provider_access.unfreeze', 'provider_access.update', 'provider_access.remove', 'provider_access.admit', 'access_request.approve', 'access_request.deny', 'access_request.end', 'relationship.freeze', 'relationship.unfreeze', 'relationship.renew', 'relationship.withdraw', 'elevation.request', 'elevation.approve', 'elevation.deny', 'elevation.end', 'elevation.end_own', 'elevation_template.create', 'elevation_template.update', 'elevation_template.delete', 'api_key.create', 'api_key.revoke', 'provider_api_key.create', 'provider_api_key.revoke'] as const;
