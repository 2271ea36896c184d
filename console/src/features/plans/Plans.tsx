import { Menu } from '@mantine/core';
import { IconCheck, IconDots, IconMinus, IconPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import '../../ui/business.css';
import { api, keys, LIMITS, MODULES, path, permission, useProvider, type List, type Plan } from '../../api';
import { Act, ActIcon, Badge, Chips, Empty, ErrorState, fmt, oneOf, PageHead, SkLines, text, toast, useAddress, useConfirm, useReason } from '../../ui';
import { AssignDrawer } from './Assign';
import { useLimitText, useModuleName } from './bits';
import { PlanForm } from './PlanForm';
import { usualCurrency } from './terms';
import { VersionsDrawer } from './Versions';

/** Which modules, how much of each, for what price: one column per plan. The opened drawer is in the address. */
export default function Plans() {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const [address, set] = useAddress({ show: oneOf(['retired', 'all']), plan: text, versions: text, assign: text });
  const [confirm, ask] = useConfirm();
  const [turn, setTurn] = useState(0);
  const { data, error, refetch } = useQuery({ queryKey: keys.provider(provider.slug, 'plans'), queryFn: ({ signal }) => api.get<List<Plan>>(path`/providers/${provider.slug}/plans`, { limit: 200 }, signal) });
  const plans = data?.items ?? [];
  const shown = plans.filter((p) => address.show === 'all' || p.state === (address.show ?? 'active'));
  const can = (action: string) => permission(provider.can, action);
  const refresh = () => client.invalidateQueries({ queryKey: keys.provider(provider.slug) });
  const close = () => { set({ plan: undefined, versions: undefined, assign: undefined }); setTurn((n) => n + 1); };
  const retire = (p: Plan) => ask({ title: t('plans.retireTitle', { name: p.name }), label: t('plans.retire'), danger: true, lines: [t('plans.retireLine')], run: async () => { await api.del(path`/providers/${provider.slug}/plans/${p.id}`, undefined, p.version); await refresh(); toast(t('plans.retiredToast', { name: p.name })); } });
  const add = <Act leftSection={<IconPlus size={16} />} can={can('plan.create')} onClick={() => set({ plan: 'new' })}>{t('plans.add')}</Act>;
  const on = plans.reduce((n, p) => n + p.client_count, 0);
  const find = (id: string | undefined) => plans.find((p) => p.id === id);
  const [edited, versions, assigned] = [find(address.plan), find(address.versions), find(address.assign)];
  return (
    <>
      <PageHead title={t('plans.title')} sub={data && `${t('plans.sub', { count: plans.filter((p) => p.state === 'active').length })}, ${t('plans.subClients', { count: on })}`}>{add}</PageHead>
      {plans.some((p) => p.state === 'retired') && <div className="tools"><Chips label={t('plans.show')} value={address.show} onChange={(show) => set({ show })} options={[{ value: undefined, label: t('plans.active'), count: plans.filter((p) => p.state === 'active').length }, { value: 'retired', label: t('plans.retired'), count: plans.filter((p) => p.state === 'retired').length }, { value: 'all', label: t('plans.all'), count: plans.length }]} /></div>}
      {error && !data ? <ErrorState error={error} retry={() => void refetch()} /> : !data ? <div className="panel pad"><SkLines lines={12} /></div> : shown.length === 0 ? (plans.length === 0 ? <Empty title={t('plans.empty')} action={add}>{t('plans.emptyText')}</Empty> : <Empty title={t(address.show === 'retired' ? 'plans.noneRetired' : 'plans.empty')} action={add} />)
        : <Grid plans={shown} head={(p) => (
          <span className="plan-head">
            <button type="button" className="plain semi" onClick={() => set({ plan: p.id })}>{p.name}</button>
            <span className="row tight"><Act size="compact-sm" variant="default" can={can('plan.assign')} reason={p.state === 'retired' && t('plans.retiredNow')} onClick={() => set({ assign: p.id })}>{t('plans.assign')}<span className="vh">: {p.name}</span></Act><More p={p} onEdit={() => set({ plan: p.id })} onVersions={() => set({ versions: p.id })} onRetire={() => retire(p)} /></span>
          </span>)} onVersions={(p) => set({ versions: p.id })} />}
      {confirm}
      <PlanForm key={`plan-${turn}-${edited?.version ?? 0}`} opened={address.plan === 'new' || edited !== undefined} plan={edited} currency={usualCurrency(plans)} onClose={close} onSaved={refresh} />
      <VersionsDrawer plan={versions} onClose={close} onMove={(p) => set({ versions: undefined, assign: p.id })} />
      <AssignDrawer key={`assign-${turn}`} plan={assigned} onClose={close} onDone={refresh} />
    </>
  );
}
function More({ p, onEdit, onVersions, onRetire }: { p: Plan; onEdit: () => void; onVersions: () => void; onRetire: () => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const item = (action: string, label: string, onClick: () => void, reason?: string | false, color?: string) => <Item can={permission(provider.can, action)} reason={reason} onClick={onClick} color={color}>{label}</Item>;
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target><ActIcon label={t('ui.moreFor', { name: p.name })} variant="subtle" color="gray"><IconDots size={16} /></ActIcon></Menu.Target>
      <Menu.Dropdown>
        {item('plan.update', t('ui.edit'), onEdit, p.state === 'retired' && t('plans.retiredNow'))}
        {item('plan_version.list', t('plans.versions'), onVersions)}
        {item('plan.retire', t('plans.retire'), onRetire, p.state === 'retired' ? t('plans.retiredNow') : p.client_count > 0 && t('plans.retireBusy', { count: p.client_count }), 'red')}
      </Menu.Dropdown>
    </Menu>
  );
}
function Item({ can, reason, onClick, color, children }: { can: ReturnType<typeof permission>; reason?: string | false; onClick: () => void; color?: string; children: ReactNode }) {
  const why = useReason({ can, reason });
  return why ? <Menu.Item aria-disabled className="menu-off" closeMenuOnClick={false} onClick={(e) => e.preventDefault()}>{children}<span className="xs dim block">{why}</span></Menu.Item> : <Menu.Item color={color} onClick={onClick}>{children}</Menu.Item>;
}

function Grid({ plans, head, onVersions }: { plans: Plan[]; head: (p: Plan) => ReactNode; onVersions: (p: Plan) => void }) {
  const { t } = useTranslation();
  const module = useModuleName();
  const limit = useLimitText();
  const row = (key: string, label: string, cell: (p: Plan) => ReactNode) => <tr key={key}><th scope="row">{label}</th>{plans.map((p) => <td key={p.id}>{cell(p)}</td>)}</tr>;
  const group = (label: string, rows: ReactNode[]) => <tbody><tr className="plan-group"><th scope="rowgroup" colSpan={plans.length + 1}>{label}</th></tr>{rows}</tbody>;
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <div className="panel table-box" role="region" aria-label={t('plans.grid')} tabIndex={0}>
      <table className="plan-grid"><caption className="vh">{t('plans.grid')}</caption>
        <thead><tr><th scope="col"><span className="vh">{t('plans.plan')}</span></th>{plans.map((p) => <th key={p.id} scope="col" style={{ width: `${82 / plans.length}%` }}>{head(p)}</th>)}</tr></thead>
        <tbody>
          {row('about', t('plans.description'), (p) => <span className="plan-about">{p.description || '–'}</span>)}
          {row('number', t('plans.versions'), (p) => <span className="row tight wrap"><button type="button" className="plain link" onClick={() => onVersions(p)}>{t('plans.number', { n: String(p.number) })}<span className="vh">: {p.name}</span></button>{p.state === 'retired' && <Badge>{t('plans.retired')}</Badge>}</span>)}
          {row('clients', t('plans.clients'), (p) => <><b className="num">{fmt.num(p.client_count)}</b>{p.grandfathered_count > 0 && <span className="xs dim block">{t('plans.older', { count: p.grandfathered_count })}</span>}</>)}
        </tbody>
        {group(t('plans.modules'), MODULES.map((m) => row(m, module(m), (p) => (p.modules.includes(m) ? <><IconCheck size={18} className="good-ink" aria-hidden /><span className="vh">{t('plans.included')}</span></> : <><IconMinus size={16} className="dim" aria-hidden /><span className="vh">{t('plans.notIncluded')}</span></>))))}
        {group(t('plans.limits'), LIMITS.map((l) => row(l, t(`limit.${l}`), (p) => <span className={p.limits[l] === null || p.limits[l] === 0 ? 'dim2' : 'num'}>{limit(p.limits[l])}</span>)))}
        {group(t('plans.price'), [
          row('month', t('plans.month'), (p) => <b className="num">{fmt.micros(p.price.month, p.price.currency)}</b>),
          row('seat', t('plans.seat'), (p) => <span className="num">{fmt.micros(p.price.seat, p.price.currency)}</span>),
          row('trial', t('plans.trial'), (p) => (p.trial_days > 0 ? t('plans.trialDays', { count: p.trial_days }) : <span className="dim2">{t('plans.noTrial')}</span>)),
        ])}
      </table>
    </div>
  );
}
