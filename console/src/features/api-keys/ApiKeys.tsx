import { Button, NumberInput, TextInput } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, type ApiKey, type ApiKeyCreated, type ApiKeyList, type Permission } from '../../api';
import { Act, ActionName, ActionPicker, Badge, Chip, Chips, CopyField, DataTable, Empty, Fields, fmt, FormDrawer, oneOf, PageHead, Pager, RelativeTime, SearchBox, SideDrawer, StateBadge, text, toast, useAddress, useApiForm, useChecks, useConfirm, useList } from '../../ui';

const STATES = ['active', 'expired', 'revoked'] as const;
const DAYS = [30, 90, 180, 365] as const;
const DAYS_MAX = 365;
export interface KeysOf { /** …/api-keys */ to: string; queryKey: readonly unknown[]; create: Permission; revoke: Permission; place: string }

/** Keys of a tenant or of a provider: the same thing at two places. */
export function ApiKeys({ to, queryKey, create, revoke, place }: KeysOf) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [confirm, ask] = useConfirm();
  const list = useList({ sort: '-created', sorts: ['created', 'name', 'expires', 'last_used'], filters: { state: oneOf(STATES) } });
  const [address, set] = useAddress({ create: text, key: text });
  const [made, setMade] = useState<ApiKeyCreated | null>(null);
  const [turn, setTurn] = useState(0);
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: [...queryKey, list.query], placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<ApiKeyList>(to, list.query, signal) });
  const refresh = () => client.invalidateQueries({ queryKey });
  const done = () => { setMade(null); setTurn((n) => n + 1); set({ create: undefined }); };
  const add = <Act leftSection={<IconPlus size={16} />} can={create} onClick={() => set({ create: 'key' })}>{t('keys.create')}</Act>;
  const drop = (k: ApiKey) => ask({ title: t('keys.revokeTitle', { name: k.name }), danger: true, label: t('keys.revoke'), lines: [t('keys.revokeLine'), k.last_used_at ? t('keys.revokeUsed', { date: fmt.clock(k.last_used_at) }) : t('keys.revokeUnused')], run: async () => { await api.del(`${to}/${encodeURIComponent(k.id)}`); await refresh(); toast(t('keys.revoked', { name: k.name })); } });
  const opened = address.key ? data?.items.find((k) => k.id === address.key) : undefined;
  return (
    <>
      <PageHead title={t('keys.title')} sub={t('keys.sub', { name: place })}>{add}</PageHead>
      <div className="tools">
        <SearchBox label={t('keys.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        <Chips label={t('requests.state')} value={list.view.state} onChange={(state) => list.set({ state })} options={[{ value: undefined, label: t('ui.all') }, ...STATES.map((s) => ({ value: s, label: t(`state.${s}`) }))]} />
      </div>
      <DataTable<ApiKey> caption={t('keys.title')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(k) => k.id} sort={list.view.sort} onSort={list.toggleSort} onRow={(k) => set({ key: k.id })} tone={(k) => (k.state === 'active' ? undefined : 'quiet')}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty icon={IconKey} title={t('keys.empty')} action={add}>{t('keys.emptyText')}</Empty>}
        columns={[
          { key: 'name', title: t('keys.name'), sort: 'name', cell: (k) => <span className="min0 block"><button type="button" className="plain semi" onClick={() => set({ key: k.id })}>{k.name}</button><span className="xs dim mono block">{k.hint}…</span></span> },
          { key: 'actions', title: t('keys.may'), cell: (k) => t('keys.nActions', { count: k.actions.length }) },
          { key: 'by', title: t('keys.by'), cell: (k) => k.created_by.name },
          { key: 'created', title: t('keys.created'), sort: 'created', cell: (k) => <RelativeTime at={k.created_at} /> },
          { key: 'expires', title: t('keys.expires'), sort: 'expires', cell: (k) => <RelativeTime at={k.expires_at} /> },
          { key: 'used', title: t('keys.used'), sort: 'last_used', cell: (k) => <RelativeTime at={k.last_used_at} never={t('keys.neverUsed')} /> },
          { key: 'state', title: t('requests.state'), cell: (k) => <StateBadge state={k.state} /> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (k) => k.state === 'active' && <span className="end"><Act size="compact-sm" variant="default" can={revoke} onClick={() => drop(k)}>{t('keys.revoke')}<span className="vh">: {k.name}</span></Act></span> },
        ]} />
      <Pager list={list} page={data} />
      {confirm}
      <CreateForm key={`key-${turn}`} to={to} opened={address.create === 'key' && create.allowed && !made} grantable={data?.grantable ?? []} onClose={done} onMade={(x) => { setMade(x); toast(t('keys.made', { name: x.key.name })); void refresh(); }} />
      <SideDrawer opened={made !== null} onClose={done} title={t('keys.made', { name: made?.key.name ?? '' })}>{made && <Token made={made} onDone={done} />}</SideDrawer>
      <SideDrawer opened={opened !== undefined && !made} onClose={() => set({ key: undefined })} title={opened?.name ?? ''}>{opened && <Detail k={opened} />}</SideDrawer>
    </>
  );
}
function Token({ made, onDone }: { made: ApiKeyCreated; onDone: () => void }) {
  const { t } = useTranslation();
  return (
    <Fields>
      <p className="note flush">{t('keys.once')}</p>
      {made.warning && <p className="note flush" role="status">{made.warning.detail}</p>}
      <CopyField label={t('keys.token')} value={made.token} description={t('keys.tokenHelp', { date: fmt.date(made.key.expires_at) })} />
      <div><p className="legend">{t('keys.use')}</p><pre className="code mono">{`curl -H "Authorization: Bearer ${made.token.slice(0, 8)}…" \\\n  ${location.origin}/api/v1/…`}</pre></div>
      <div className="drawer-foot"><span className="grow" /><Button onClick={onDone}>{t('keys.kept')}</Button></div>
    </Fields>
  );
}
function Detail({ k }: { k: ApiKey }) {
  const { t } = useTranslation();
  return (
    <Fields>
      <dl className="facts">
        <dt>{t('requests.state')}</dt><dd><StateBadge state={k.state} />{k.revoked_at && <span className="dim"> {fmt.clock(k.revoked_at)}</span>}</dd>
        <dt>{t('keys.hint')}</dt><dd className="mono">{k.hint}…</dd>
        <dt>{t('keys.by')}</dt><dd>{k.created_by.name} <span className="dim">{fmt.clock(k.created_at)}</span></dd>
        <dt>{t('keys.expires')}</dt><dd>{fmt.clock(k.expires_at)}</dd>
        <dt>{t('keys.used')}</dt><dd><RelativeTime at={k.last_used_at} never={t('keys.neverUsed')} />{k.last_address && <span className="mono dim"> {k.last_address}</span>}</dd>
        <dt>{t('settings.id')}</dt><dd className="mono break">{k.id}</dd>
      </dl>
      <h3 className="flush">{t('keys.may')} <Badge>{fmt.num(k.actions.length)}</Badge></h3>
      <ul className="plain-list">{k.actions.map((a) => <li key={a}><ActionName name={a} /></li>)}</ul>
      <p className="xs dim flush">{t('keys.never')}</p>
    </Fields>
  );
}
function CreateForm({ to, opened, grantable, onClose, onMade }: { to: string; opened: boolean; grantable: ApiKeyList['grantable']; onClose: () => void; onMade: (made: ApiKeyCreated) => void }) {
  const { t } = useTranslation();
  const check = useChecks();
  const f = useApiForm({
    initial: { name: '', expires_in_days: 90 as number | string, actions: [] as string[] },
    validate: { name: check.filled, expires_in_days: (v) => (typeof v === 'number' && Number.isInteger(v) && v >= 1 && v <= DAYS_MAX ? null : t('tenantSettings.intervalRange', { max: fmt.num(DAYS_MAX) })), actions: (v) => (v.length ? null : t('keys.needAction')) },
    save: async (v) => onMade(await api.post<ApiKeyCreated>(to, { ...v, name: v.name.trim() })),
  });
  const g = f.form.getInputProps;
  return (
    <FormDrawer opened={opened} onClose={onClose} title={t('keys.create')} sub={t('keys.createSub')} form={f} submitLabel={t('keys.create')}>
      <TextInput label={t('keys.name')} description={t('keys.nameHelp')} required data-autofocus maxLength={100} autoComplete="off" {...g('name')} />
      <div className="fields tight-fields">
        <NumberInput label={t('keys.days')} required min={1} max={DAYS_MAX} allowDecimal={false} suffix={t('tenantSettings.daysSuffix')} {...g('expires_in_days')} />
        <div className="chips" role="group" aria-label={t('keys.days')}>{DAYS.map((n) => <Chip key={n} on={f.form.values.expires_in_days === n} onClick={() => f.form.setFieldValue('expires_in_days', n)}>{t('override.days', { count: n, n: fmt.num(n) })}</Chip>)}</div>
      </div>
      <ActionPicker label={t('keys.may')} help={t('keys.mayHelp')} options={grantable} value={f.form.values.actions} onChange={(next) => { f.form.setFieldValue('actions', next); f.form.clearFieldError('actions'); }} error={f.form.errors.actions} preset />
    </FormDrawer>
  );
}
