import { IconGavel } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import { api, keys, permission, useMe, useProvider, type Tenant, type TenantPurged } from '../../api';
import { Act, fmt, Panel, RelativeTime, toast, toastProblem, type Ask } from '../../ui';
import { purgeBlocked, purgeStep } from './purging';

interface Props { x: Tenant; to: string; ask: (what: Ask) => void; took: (next: Tenant) => void }
const Step = ({ text, children }: { text: ReactNode; children: ReactNode }) => <div className="row wrap"><p className="flush dim2 grow sm">{text}</p>{children}</div>;

/** A legal hold stands above everything else: while it does, nothing of the client is deleted. */
export function HoldNote({ x }: { x: Tenant }) {
  const { t } = useTranslation();
  return x.hold ? <section className="frozen" aria-label={t('purge.held')}><IconGavel size={22} aria-hidden /><div className="grow min0"><h2>{t('purge.held')}</h2><p className="flush">{x.hold.by && t('purge.heldBy', { name: x.hold.by.name })} <RelativeTime at={x.hold.at} />: <q>{x.hold.reason}</q></p></div></section> : null;
}
/** Suspend, archive, hold, and the purge that takes two persons. */
export function Lifecycle({ x, to, ask, took }: Props) {
  const { t } = useTranslation();
  const name = x.name;
  const can = (action: string) => permission(x.can, action);
  const act = (what: string, body: object = {}) => api.post<Tenant>(`${to}/${what}`, body).then(took);
  const resume = () => act('resume').then(() => toast(t('tenant.resumedToast', { name })), toastProblem);
  const restore = () => act('restore').then(() => toast(t('tenant.restoredToast', { name })), toastProblem);
  const release = () => ask({ title: t('purge.releaseTitle', { name }), lines: [t('purge.releaseLine')], reason: t('tenant.reason'), label: t('purge.release'), run: async ({ reason }) => { await act('release', { reason }); toast(t('purge.releasedToast', { name })); } });
  const hold = () => ask({ title: t('purge.holdTitle', { name }), lines: [t('purge.holdLine')], reason: t('tenant.reason'), label: t('purge.hold'), run: async ({ reason }) => { await act('hold', { reason }); toast(t('purge.heldToast', { name })); } });
  return (
    <Panel title={t('tenant.lifecycle')} pad>
      <div className="acts-list">
        {x.state === 'active' && <Step text={t('tenant.suspendText')}><Act variant="default" can={can('tenant.suspend')} onClick={() => ask({ title: t('tenant.suspendTitle', { name }), lines: [t('tenant.suspendLine', { count: x.counts.members })], reason: t('tenant.reason'), label: t('tenant.suspend'), run: async ({ reason }) => { await act('suspend', { reason }); toast(t('tenant.suspendedToast', { name }), resume); } })}>{t('tenant.suspend')}</Act></Step>}
        {x.state === 'suspended' && <Step text={t('tenant.resumeText')}><Act can={can('tenant.resume')} onClick={() => void resume()}>{t('tenant.resume')}</Act></Step>}
        {(x.state === 'active' || x.state === 'suspended') && <Step text={t('tenant.archiveText')}><Act variant="default" can={can('tenant.archive')} onClick={() => ask({ title: t('tenant.archiveTitle', { name }), danger: true, lines: [t('tenant.archiveLine', { count: x.counts.members })], reason: t('tenant.reason'), label: t('tenant.archive'), run: async ({ reason }) => { await act('archive', { reason }); toast(t('tenant.archivedToast', { name }), restore); } })}>{t('tenant.archive')}</Act></Step>}
        {x.state === 'archived' && <Step text={t('tenant.restoreText')}><Act variant="default" can={can('tenant.restore')} onClick={() => void restore()}>{t('tenant.restore')}</Act></Step>}
        {x.hold ? <Step text={t('purge.releaseText')}><Act variant="default" can={can('tenant.release')} onClick={release}>{t('purge.release')}</Act></Step> : <Step text={t('purge.holdText')}><Act variant="default" can={can('tenant.hold')} onClick={hold}>{t('purge.hold')}</Act></Step>}
        <PurgeByTwo x={x} to={to} ask={ask} took={took} />
      </div>
    </Panel>
  );
}
function PurgeByTwo({ x, to, ask, took }: Props) {
  const { t } = useTranslation();
  const provider = useProvider();
  const { person } = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();
  const can = (action: string) => permission(x.can, action);
  const { name, purge_request: asked } = x;
  const step = purgeStep(x, person.id);
  const blocked = purgeBlocked(x, Date.now());
  const why = blocked === 'held' ? t('purge.not.held') : blocked === 'early' ? t('tenant.purgeAfter', { date: fmt.date(x.purge_after!) }) : null;
  const what = t('tenant.purgeLine', { scans: fmt.num(x.counts.scans), findings: fmt.num(x.counts.findings_open), members: fmt.num(x.counts.members) });
  const who = asked && <>{asked.by ? t('purge.askedBy', { name: asked.by.name }) : t(`purge.askedOf.${asked.side}`)} <RelativeTime at={asked.at} />: <q>{asked.reason}</q></>;
  const withdraw = () => void api.del<Tenant>(`${to}/purge-request`).then((next) => { took(next); toast(t('purge.withdrawn')); }, toastProblem);
  const request = () => ask({ title: t('purge.askTitle', { name }), danger: true, typed: name, reason: t('tenant.reason'), label: t('purge.ask'), lines: [t('purge.askLine'), what], run: async ({ typed, reason }) => { took(await api.post<Tenant>(`${to}/purge-request`, { reason, name: typed })); toast(t('purge.askedToast', { name })); } });
  const purge = () => ask({
    title: t('tenant.purgeTitle', { name }), danger: true, typed: name, label: t('tenant.purge'), lines: [who, what, <b key="2">{t('tenant.purgeLine2')}</b>],
    run: async ({ typed }) => {
      const gone = await api.post<TenantPurged>(`${to}/purge`, { name: typed });
      toast(t('tenant.purgedToast', { name, count: gone.files_removed }));
      void client.invalidateQueries({ queryKey: keys.provider(provider.slug), predicate: (q) => q.queryKey[2] !== 'tenant' && q.queryKey[2] !== 'onboarding' });
      await navigate({ to: '/tenants' });
    },
  });
  if (step === 'none') return asked ? <Step text={<>{who} {t('purge.waitsArchive')}</>}><span /></Step> : null;
  if (step === 'ask') return <Step text={t('purge.askText')}><Act color="red" variant="default" can={can('tenant.request_purge')} reason={why} onClick={request}>{t('purge.ask')}</Act></Step>;
  return (
    <Step text={<><b className="block ink">{t('purge.waits')}</b>{who}{asked?.lapses_at && <span className="xs dim block">{t('purge.lapses')} <RelativeTime at={asked.lapses_at} /></span>}</>}>
      {asked?.side === 'provider' && <Act variant="default" can={can('tenant.withdraw_purge')} onClick={withdraw}>{t('purge.withdraw')}</Act>}
      <Act color="red" can={can('tenant.purge')} reason={step === 'mine' ? t('purge.not.mine') : why} onClick={purge}>{t('tenant.purge')}</Act>
    </Step>
  );
}
