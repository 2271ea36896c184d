import { Button, Checkbox } from '@mantine/core';
import { IconCheck, IconMinus, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useProvider, useSwitchable, type Client, type Plan, type PlanAssigned, type PlanMove, type PlanPreview } from '../../api';
import { Act, ErrorState, fmt, FormProblem, SearchBox, SideDrawer, SkLines, StateBadge } from '../../ui';
import { useModuleName } from './bits';

const AT_ONCE = 500;

/** Choose clients, see what opens and closes for each, then move them; every client with its own answer. */
export function AssignDrawer({ plan, onClose, onDone }: { plan: Plan | undefined; onClose: () => void; onDone: () => Promise<unknown> }) {
  const { t } = useTranslation();
  return <SideDrawer opened={plan !== undefined} onClose={onClose} title={plan ? t('assign.title', { name: plan.name }) : ''} size={720}>{plan && <Assign plan={plan} onClose={onClose} onDone={onDone} />}</SideDrawer>;
}
function Assign({ plan, onClose, onDone }: { plan: Plan; onClose: () => void; onDone: () => Promise<unknown> }) {
  const [chosen, setChosen] = useState<ReadonlyMap<string, string>>(new Map());
  const [step, setStep] = useState<'choose' | 'preview'>('choose');
  const [done, setDone] = useState<PlanAssigned | null>(null);
  if (done) return <Results done={done} onClose={onClose} />;
  if (step === 'preview') return <Preview plan={plan} tenants={[...chosen.keys()]} onBack={() => setStep('choose')} onDone={(answer) => { setDone(answer); void onDone(); }} />;
  return <Choose plan={plan} chosen={chosen} onChange={setChosen} onClose={onClose} onNext={() => setStep('preview')} />;
}
function Choose({ plan, chosen, onChange, onClose, onNext }: { plan: Plan; chosen: ReadonlyMap<string, string>; onChange: (next: ReadonlyMap<string, string>) => void; onClose: () => void; onNext: () => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const [q, setQ] = useState<string | undefined>();
  const clients = useSwitchable(provider.slug, q ?? '');
  const words = (q ?? '').toLowerCase();
  const shown = clients.items.filter((c) => c.state !== 'archived' && (c.name.toLowerCase().includes(words) || c.slug.includes(words)));
  const put = (which: Client[], on: boolean) => { const next = new Map(chosen); for (const c of which) if (on) next.set(c.slug, c.name); else next.delete(c.slug); onChange(next); };
  const here = clients.items.filter((c) => c.plan === plan.name && c.state !== 'archived');
  return (
    <div className="fields">
      <p className="flush dim2">{t('assign.sub')}</p>
      <div className="row wrap tight"><SearchBox label={t('assign.search')} value={q} onChange={setQ} /><span className="grow" />
        {here.length > 0 && <Button size="compact-sm" variant="default" onClick={() => put(here, true)}>{t('assign.allOn', { name: plan.name })}</Button>}<Button size="compact-sm" variant="default" disabled={shown.length === 0} onClick={() => put(shown, true)}>{t('assign.allShown')}</Button><Button size="compact-sm" variant="default" disabled={chosen.size === 0} onClick={() => onChange(new Map())}>{t('assign.none')}</Button>
      </div>
      <div className="picker-box choose-box" role="group" aria-label={t('assign.client')}>
        {clients.loading ? <div className="pad"><SkLines lines={6} /></div> : shown.length === 0 ? <p className="sm dim flush pad">{t('assign.noClients')}</p>
          : shown.map((c) => <Checkbox key={c.id} checked={chosen.has(c.slug)} onChange={(e) => put([c], e.currentTarget.checked)} label={<span className="row tight wrap"><span className="semi">{c.name}</span><span className="xs dim">{c.plan ?? t('assign.noPlan')}</span>{c.state !== 'active' && <StateBadge state={c.state} />}</span>} />)}
      </div>
      <div className="drawer-foot"><span className="sm dim2" role="status">{chosen.size > AT_ONCE ? t('assign.most', { n: fmt.num(AT_ONCE) }) : t('assign.chosen', { count: chosen.size })}</span><span className="grow" /><Button variant="default" onClick={onClose}>{t('ui.cancel')}</Button><Act can={permission(provider.can, 'plan.preview')} reason={chosen.size === 0 ? t('assign.chosen', { count: 0 }) : chosen.size > AT_ONCE && t('assign.most', { n: fmt.num(AT_ONCE) })} onClick={onNext}>{t('assign.preview')}</Act></div>
    </div>
  );
}
function Preview({ plan, tenants, onBack, onDone }: { plan: Plan; tenants: string[]; onBack: () => void; onDone: (answer: PlanAssigned) => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const body = { plan: plan.id, tenants };
  const { data, error, refetch } = useQuery({ queryKey: keys.provider(provider.slug, 'plan-preview', body), staleTime: 0, queryFn: ({ signal }) => { void signal; return api.post<PlanPreview>(path`/providers/${provider.slug}/plans/preview`, body); } });
  const moves = data?.items.filter((x) => !same(x)) ?? [];
  const still = (data?.items.length ?? 0) - moves.length;
  const apply = async () => {
    if (pending) return;
    setPending(true); setProblem(null);
    try { onDone(await api.post<PlanAssigned>(path`/providers/${provider.slug}/plans/assign`, { plan: plan.id, tenants: moves.map((x) => x.tenant.slug) })); } catch (e) { setProblem(e); } finally { setPending(false); }
  };
  return (
    <div className="fields">
      <FormProblem problem={problem} />
      {error ? <ErrorState error={error} retry={() => void refetch()} /> : !data ? <SkLines lines={8} /> : (
        <>
          <p className="flush semi" role="status">{moves.length === 0 ? t('assign.nothing') : [t('assign.moves', { count: moves.length }), data.totals.opens > 0 && t('assign.opensN', { count: data.totals.opens }), data.totals.closes > 0 && t('assign.closesN', { count: data.totals.closes }), still > 0 && t('assign.unchanged', { count: still })].filter(Boolean).join(' · ')}</p>
          {moves.length > 0 && <div className="bulk-rows preview">{moves.map((x) => <MoveRow key={x.tenant.id} x={x} open={moves.length <= 5 || x.closes.length > 0 || x.over.length > 0} />)}</div>}
        </>
      )}
      <div className="drawer-foot"><span className="grow" /><Button variant="default" onClick={onBack}>{t('assign.back')}</Button><Act can={permission(provider.can, 'plan.assign')} reason={data && moves.length === 0 && t('assign.nothing')} loading={pending} disabled={!data} onClick={() => void apply()}>{t('assign.apply', { count: moves.length })}</Act></div>
    </div>
  );
}
const same = (x: PlanMove) => x.from !== null && x.from.plan === x.to.plan && x.from.number === x.to.number;
function MoveRow({ x, open }: { x: PlanMove; open: boolean }) {
  const { t } = useTranslation();
  const module = useModuleName();
  return (
    <details open={open}>
      <summary><span className="semi">{x.tenant.name}</span> <span className="xs dim">{x.from ? `${x.from.name} ${x.from.number}` : t('assign.noPlan')} <span aria-hidden>→</span><span className="vh">{t('assign.to')}</span> {x.to.name} {x.to.number}</span></summary>
      <dl className="facts gap-top">
        {x.opens.length > 0 && <><dt>{t('assign.opens')}</dt><dd className="good-ink">{x.opens.map(module).join(', ')}</dd></>}
        {x.closes.length > 0 && <><dt>{t('assign.closes')}</dt><dd><span className="crit-text">{x.closes.map(module).join(', ')}</span>{x.data_kept_until && <span className="xs dim block">{t('assign.keptUntil', { date: fmt.date(x.data_kept_until) })}</span>}</dd></>}
        {x.price_change && <><dt>{t('assign.price')}</dt><dd className="num">{x.price_change.month > 0 ? '+' : ''}{fmt.micros(x.price_change.month, x.price_change.currency).replace('-', '−')}</dd></>}
        {x.over.length > 0 && <><dt>{t('assign.overHead')}</dt><dd className="near-ink">{x.over.map((o) => t('assign.over', { used: fmt.num(o.used), max: fmt.num(o.max), limit: t(`limit.${o.limit}`) })).join(', ')}</dd></>}
      </dl>
    </details>
  );
}
function Results({ done: { results }, onClose }: { done: PlanAssigned; onClose: () => void }) {
  const { t } = useTranslation();
  const failed = results.filter((r) => r.outcome === 'failed').length;
  return (
    <div className="fields">
      <p className="flush semi" role="status">{t('assign.done', { count: results.filter((r) => r.outcome === 'moved').length })}{failed > 0 && ` · ${t('assign.failed', { count: failed })}`}</p>
      <ul className="bulk-rows" aria-label={t('assign.results')}>{results.map((r) => <li key={r.tenant.id}>{r.outcome === 'moved' ? <IconCheck size={16} className="good-ink" aria-hidden /> : r.outcome === 'failed' ? <IconX size={16} className="crit-text" aria-hidden /> : <IconMinus size={16} className="dim" aria-hidden />}<span className="grow min0">{r.tenant.name}{r.detail && <span className="xs dim block">{r.detail}</span>}</span><span className="dim2 nowrap">{t(`assign.outcome.${r.outcome}`)}</span></li>)}</ul>
      <div className="drawer-foot"><span className="grow" /><Button onClick={onClose}>{t('ui.done')}</Button></div>
    </div>
  );
}
