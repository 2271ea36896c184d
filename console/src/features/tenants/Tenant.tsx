import { Button, NumberInput, Select, TextInput } from '@mantine/core';
import { IconArrowUpRight, IconPencil, IconSnowflake, IconUserPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import '../../ui/business.css';
import { api, keys, may, path, permission, TIERS, usePlans, useProvider, type Assignment, type List, type Tenant as TenantData, type Tier as TierName } from '../../api';
import { Act, AssignmentMask, Av, Badge, DataTable, Empty, ErrorState, fmt, FormDrawer, Go, GoButton, Kpi, KpiStrip, PageHead, PageSkeleton, Panel, RelativeTime, StateBadge, tenantPath, Tier, toast, toastProblem, useApiForm, useChecks, useConfirm, type Ask } from '../../ui';
import { ClientSettings } from './ClientSettings';
import { HoldNote, Lifecycle } from './Lifecycle';
import { Onboarding } from './Onboarding';

export default function Tenant() {
  const { t } = useTranslation();
  const provider = useProvider();
  const { tenant: slug } = useParams({ strict: false }) as { tenant: string };
  const to = path`/providers/${provider.slug}/tenants/${slug}`;
  const key = keys.provider(provider.slug, 'tenant', slug);
  const { data: x, error, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get<TenantData>(to, undefined, signal) });
  const staff = useQuery({ queryKey: keys.provider(provider.slug, 'assignments', { tenant: slug }), queryFn: ({ signal }) => api.get<List<Assignment>>(path`/providers/${provider.slug}/assignments`, { tenant: slug, limit: 200 }, signal) });
  const client = useQueryClient();
  const [confirm, ask] = useConfirm();
  const [editing, setEditing] = useState<'details' | 'relationship' | null>(null);
  if (error && !x) return <><PageHead title={t('tenants.title')} /><ErrorState error={error} retry={() => void refetch()} /></>;
  if (!x) return <PageSkeleton />;

  const took = (next: TenantData) => {
    client.setQueryData(key, next);
    // Panels that go with this answer are still there at this moment, and are asked for nothing any more.
    const gone = next.state === 'active' ? [] : next.state === 'archived' ? ['onboarding', 'client-settings'] : ['onboarding'];
    void client.invalidateQueries({ queryKey: keys.provider(provider.slug), predicate: (q) => q.queryKey !== key && !gone.some((word) => q.queryKey.includes(word)) });
  };
  const relationship = (body: object, version = x.relationship.version) => api.patch<TenantData>(`${to}/relationship`, body, version).then((next) => { took(next); return next; });
  const can = (action: string) => permission(x.can, action);
  const name = x.name;
  const ended = x.relationship.state === 'ended';
  const assigned = staff.data?.total ?? 0;
  const ownSeats = x.seats_max;
  return (
    <>
      <PageHead title={name} sub={<span className="row wrap tight">{t('tenant.sub', { plan: x.plan.name, date: fmt.date(x.created_at) })} <StateBadge state={x.state} /></span>}>
        <Act variant="default" leftSection={<IconPencil size={16} />} can={can('tenant.update')} onClick={() => setEditing('details')}>{t('ui.edit')}</Act>
        <GoButton to={tenantPath(x.slug)} rightSection={<IconArrowUpRight size={16} />}>{t('tenant.open')}</GoButton>
      </PageHead>
      {x.state === 'suspended' && <p className="note gap-b">{t('tenant.suspended', { reason: x.state_reason ?? '–' })}</p>}
      {x.state === 'archived' && <p className="note gap-b">{[x.archived_at && t('tenant.archived', { date: fmt.date(x.archived_at) }), x.state_reason, x.purge_after && t('tenant.purgeAfter', { date: fmt.date(x.purge_after) })].filter(Boolean).join(' · ')}</p>}
      {(x.relationship.freezes ?? []).map((f) => <section key={f.side} className="frozen" aria-label={t('state.frozen')}><IconSnowflake size={22} aria-hidden /><div className="grow min0"><h2>{t(f.side === 'tenant' ? 'tenant.frozenByClient' : 'tenant.frozenByUs', { name })}</h2><p className="flush">{f.by ? t('access.frozenBy', { name: f.by.name }) : t('access.frozenSince')} <RelativeTime at={f.at} />: <q>{f.reason}</q></p></div></section>)}
      <HoldNote x={x} />
      {x.state === 'active' && may(x.can, 'onboarding.view') && <div className="gap-b"><Onboarding x={x} to={to} /></div>}
      <KpiStrip>
        <Kpi label={t('tenant.members')} value={fmt.num(x.counts.members)} />
        <Kpi label={t('tenant.seats')} value={(ownSeats ?? x.plan.seats_max) === null ? '∞' : fmt.num((ownSeats ?? x.plan.seats_max)!)} note={t(ownSeats === null ? 'tenant.planSeats' : 'tenant.ownSeats')} />
        <Kpi label={t('tenant.scans')} value={fmt.num(x.counts.scans)} />
        <Kpi label={t('tenant.findings')} value={fmt.num(x.counts.findings_open)} />
      </KpiStrip>
      <div className="split gap-b">
        <Panel title={t('tenant.details')} pad>
          <dl className="facts">
            <dt>{t('tenant.name')}</dt><dd>{name}</dd><dt>{t('tenant.slug')}</dt><dd className="mono">{x.slug}</dd><dt>{t('tenant.industry')}</dt><dd>{x.industry ?? '–'}</dd><dt>{t('tenant.plan')}</dt><dd><PlanOf x={x} /></dd>
            <dt>{t('tenant.modules')}</dt><dd><span className="row wrap tight">{x.plan.modules.map((m) => <Badge key={m}>{t(`module.${m}` as 'module.compliance', { defaultValue: m })}</Badge>)}</span>{(x.closed_modules ?? []).map((c) => <span key={c.module} className="block xs near-ink">{t('client.closed', { module: t(`module.${c.module}` as 'module.compliance', { defaultValue: c.module }), date: fmt.date(c.kept_until) })}</span>)}</dd>
            <dt>{t('tenant.created')}</dt><dd>{fmt.date(x.created_at)}</dd>{x.via && <><dt>{t('tenant.via')}</dt><dd>{x.via.name}</dd></>}<dt>{t('tenant.id')}</dt><dd className="mono">{x.id}</dd>
          </dl>
        </Panel>
        <Panel title={t('tenant.relationship')} pad actions={<Act size="compact-md" variant="default" can={can('relationship.update')} onClick={() => setEditing('relationship')}>{t('tenant.editRelationship')}</Act>}>
          <dl className="facts">
            <dt>{t('tenant.tier')}</dt><dd><Tier t={x.relationship.tier} long /> <span className="dim2">{t(`tier.allows.${x.relationship.tier}`)}</span></dd>
            <dt>{t('tenant.state')}</dt><dd><StateBadge state={x.relationship.state} /></dd>
            <dt>{t('tenant.ends')}</dt><dd>{x.relationship.ends_at ? <>{fmt.date(x.relationship.ends_at)} <span className="dim">(<RelativeTime at={x.relationship.ends_at} />)</span></> : t('ui.noEnd')}</dd>
            {x.relationship.parent_tier && <><dt /><dd className="dim2">{t('tenant.parent', { tier: x.relationship.parent_tier })}</dd></>}
            <dt>{t('access.raiseBy')}</dt><dd>{t(`access.byUs.${x.relationship.raise_by ?? 'provider'}`)}</dd><dt>{t('access.assignBy')}</dt><dd>{t(`access.byUs.${x.relationship.assign_by ?? 'provider'}`)}</dd><dt>{t('access.renewBy')}</dt><dd>{t(`access.byUs.${x.relationship.renew_by ?? 'provider'}`)}</dd>
          </dl>
          <Consents x={x} to={to} onChanged={() => void refetch()} />
          <div className="gap-top row wrap">{ended
            ? <Act variant="default" can={can('relationship.update')} onClick={() => void relationship({ state: 'active' }).catch(toastProblem)}>{t('tenant.resumeAccess')}</Act>
            : <Act variant="subtle" color="red" size="compact-md" can={can('relationship.update')} onClick={() => ask({ title: t('tenant.endTitle', { name }), danger: true, label: t('tenant.end'), typed: name, lines: [t('tenant.endLine'), assigned > 0 && t('tenant.endLine2', { count: assigned })].filter((l) => l !== false), run: async () => { await relationship({ state: 'ended' }); toast(t('tenant.endedToast', { name })); } })}>{t('tenant.end')}</Act>}{!ended && <FreezeAct x={x} to={to} ask={ask} onChanged={() => { void client.invalidateQueries({ queryKey: keys.provider(provider.slug) }); }} />}</div>
        </Panel>
      </div>
      <section className="gap-b" aria-label={t('tenant.staff')}>
        <div className="row gap-b8"><h2 className="flush">{t('tenant.staff')}</h2><span className="grow" /><GoButton variant="default" size="compact-md" to="/staff" leftSection={<IconUserPlus size={15} />}>{t('tenant.assign')}</GoButton></div>
        <DataTable<Assignment> caption={t('tenant.staff')} rows={staff.data?.items} error={staff.error} retry={() => void staff.refetch()} rowKey={(a) => a.id} skeletonRows={2} empty={<Empty title={t('tenant.staffEmpty')} />} tone={(a) => (a.live ? undefined : 'quiet')}
          columns={[
            { key: 'who', title: t('tenant.technician'), cell: (a) => <span className="row"><Av slug={a.staff.id} name={a.staff.name} small /><Go to={`/staff/${a.staff.id}`} className="semi">{a.staff.name}</Go></span> },
            { key: 'tier', title: t('tenant.tier'), cell: (a) => <Tier t={a.effective_tier} long /> },
            { key: 'mask', title: t('tenant.mask'), cell: (a) => <AssignmentMask mask={a.mask} /> },
            { key: 'until', title: t('tenant.until'), cell: (a) => (a.ends_at ? <RelativeTime at={a.ends_at} /> : <span className="dim">{t('ui.noEnd')}</span>) },
          ]} />
      </section>
      {x.state !== 'archived' && may(x.can, 'client_setting.list') && <ClientSettings x={x} to={to} />}
      <Lifecycle x={x} to={to} ask={ask} took={took} />
      {confirm}
      <EditDetails key={`d${x.version}`} x={x} opened={editing === 'details'} onClose={() => setEditing(null)} onSaved={took} to={to} />
      <EditRelationship key={`r${x.relationship.version}`} x={x} opened={editing === 'relationship'} onClose={() => setEditing(null)} save={relationship} />
    </>
  );
}
/** Which version it is on, and that there is a newer one. */
function PlanOf({ x: { plan } }: { x: TenantData }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const older = plan.number !== undefined && plan.newest_number !== undefined && plan.number < plan.newest_number;
  return <span className="row tight wrap">{plan.name}{plan.number !== undefined && <span className="dim2">{t('client.version', { n: String(plan.number) })}</span>}{older && <><Badge tone="near">{t('client.newer', { n: String(plan.newest_number) })}</Badge>{may(provider.can, 'plan.list') && <Go to="/plans" search={{ assign: plan.id }} className="link sm">{t('client.move')}</Go>}</>}</span>;
}
/** The provider's own stop: nobody of the staff enters until it is lifted. The client's is the client's to lift. */
function FreezeAct({ x, to, ask, onChanged }: { x: TenantData; to: string; ask: (what: Ask) => void; onChanged: () => void }) {
  const { t } = useTranslation();
  const own = x.relationship.freezes?.some((f) => f.side === 'provider');
  const post = async (what: 'freeze' | 'unfreeze', body: object = {}) => { await api.post(`${to}/relationship/${what}`, body); onChanged(); };
  if (own) return <Act variant="default" size="compact-md" can={permission(x.can, 'relationship.unfreeze')} onClick={() => void post('unfreeze').then(() => toast(t('tenant.unfrozenToast', { name: x.name })), toastProblem)}>{t('access.unfreeze')}</Act>;
  return <Act variant="default" size="compact-md" leftSection={<IconSnowflake size={15} />} can={permission(x.can, 'relationship.freeze')} onClick={() => ask({ title: t('tenant.freezeTitle', { name: x.name }), label: t('tenant.freeze'), reason: t('access.reason'), lines: [t('tenant.freezeLine', { name: x.name })], run: async ({ reason }) => { await post('freeze', { reason }); toast(t('tenant.frozenToast', { name: x.name }), () => post('unfreeze').catch(toastProblem)); } })}>{t('tenant.freeze')}</Act>;
}
/** What waits for the client's consent, each to be withdrawn. */
function Consents({ x, to, onChanged }: { x: TenantData; to: string; onChanged: () => void }) {
  const { t } = useTranslation();
  const pending = x.relationship.pending ?? [];
  if (pending.length === 0) return null;
  return (
    <section className="inset gap-top" aria-label={t('tenant.waiting')}>
      <h3 className="flush">{t('tenant.waiting')}</h3>
      {pending.map((p) => <div key={p.id} className="row"><span className="grow min0 sm">{p.label}<span className="xs dim block">{p.asked_by}, <RelativeTime at={p.asked_at} /></span></span><Act size="compact-sm" variant="default" can={permission(x.can, 'relationship.withdraw')} onClick={() => void api.del(`${to}/consents/${encodeURIComponent(p.id)}`).then(() => { toast(t('tenant.withdrawn')); onChanged(); }, toastProblem)}>{t('tenant.withdraw')}<span className="vh">: {p.label}</span></Act></div>)}
    </section>
  );
}

function EditDetails({ x, opened, onClose, onSaved, to }: { x: TenantData; opened: boolean; onClose: () => void; onSaved: (x: TenantData) => void; to: string }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const plans = usePlans(provider.slug, opened);
  const check = useChecks();
  const f = useApiForm({
    initial: { name: x.name, industry: x.industry ?? '', plan: x.plan.name, seats_max: (x.seats_max ?? '') as number | string }, validate: { name: check.filled },
    save: async (v) => { onSaved(await api.patch<TenantData>(to, { name: v.name.trim(), industry: v.industry.trim() || null, plan: v.plan, seats_max: v.seats_max === '' ? null : Number(v.seats_max) }, x.version)); toast(t('ui.saved')); onClose(); },
  });
  const g = f.form.getInputProps;
  return (
    <FormDrawer opened={opened} onClose={onClose} title={t('tenant.edit')} form={f} submitLabel={t('ui.save')}>
      <TextInput label={t('tenant.name')} required data-autofocus {...g('name')} /><TextInput label={t('tenant.industry')} {...g('industry')} />
      <Select label={t('tenant.plan')} data={[...new Set([x.plan.name, ...(plans.data?.items.filter((p) => p.state === 'active').map((p) => p.name) ?? [])])]} {...g('plan')} />
      <NumberInput label={t('tenant.seatLimit')} description={t('tenant.seatHelp')} min={0} allowDecimal={false} {...g('seats_max')} />
    </FormDrawer>
  );
}
function EditRelationship({ x, opened, onClose, save }: { x: TenantData; opened: boolean; onClose: () => void; save: (body: object) => Promise<TenantData> }) {
  const { t } = useTranslation();
  const check = useChecks();
  const f = useApiForm({
    initial: { tier: x.relationship.tier as string, ends_at: x.relationship.ends_at ? fmt.dayOf(x.relationship.ends_at) : '' }, validate: { ends_at: check.future },
    save: async (v) => { const next = await save({ tier: v.tier, ends_at: v.ends_at ? fmt.endOfDay(v.ends_at) : null }); toast(t(next.relationship.tier === v.tier ? 'ui.saved' : 'tenant.waitsToast', { name: x.name })); onClose(); },
  });
  const top = x.relationship.parent_tier;
  const allowed = TIERS.filter((y) => !top || TIERS.indexOf(y) <= TIERS.indexOf(top));
  const higher = TIERS.indexOf(f.form.values.tier as TierName) > TIERS.indexOf(x.relationship.tier);
  const lower = TIERS.indexOf(f.form.values.tier as TierName) < TIERS.indexOf(x.relationship.tier);
  return (
    <FormDrawer opened={opened} onClose={onClose} title={t('tenant.editRelationship')} form={f} submitLabel={t('ui.save')}>
      <Select label={t('tenant.tier')} description={t('tenant.tierHelp')} data={allowed.map((y) => ({ value: y, label: `${y} ${t(`tier.${y}`)}` }))} {...f.form.getInputProps('tier')} />
      <p className="flush sm dim2">{t(`tier.allows.${f.form.values.tier as TierName}`)}</p>
      {higher && x.relationship.raise_by !== 'provider' && <p className="note flush">{t(x.relationship.raise_by === 'operator' ? 'tenant.raisingOperator' : 'tenant.raising', { name: x.name })}</p>}
      {lower && <p className="note flush">{t('tenant.lowering')}</p>}
      {top && <p className="flush sm dim2">{t('tenant.parent', { tier: top })}</p>}
      <TextInput type="date" label={t('tenants.fieldEnds')} description={t('tenants.endsHelp')} {...f.form.getInputProps('ends_at')} rightSection={f.form.values.ends_at ? <Button size="compact-xs" variant="subtle" onClick={() => f.form.setFieldValue('ends_at', '')}>{t('ui.clear')}</Button> : undefined} rightSectionWidth={64} />
    </FormDrawer>
  );
}
