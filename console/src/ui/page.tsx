import { Button } from '@mantine/core';
import { IconAlertTriangle, IconInbox, IconLock, IconPlugConnectedX, type Icon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem } from '../api';
import i18n from '../i18n';
import { PageTitle } from './brand';

/** The one question a page answers: title, one line in words, the page's actions. Also names the browser tab. */
export function PageHead({ title, sub, children }: { title: string; sub?: ReactNode; children?: ReactNode }) {
  return <div className="head"><PageTitle>{title}</PageTitle><div className="min0"><h1>{title}</h1><p>{sub ?? '\u00a0'}</p></div>{children && <div className="acts">{children}</div>}</div>;
}
export const KpiStrip = ({ children }: { children: ReactNode }) => <dl className="kpis">{children}</dl>;
export function Kpi({ label, value, note, tone, loading }: { label: string; value: ReactNode; note?: ReactNode; tone?: 'good' | 'bad'; loading?: boolean }) {
  return <div className="kpi"><dt>{label}</dt><dd className="num">{loading ? <Sk w={64} h={24} /> : <>{value}{note && <small className={tone === 'good' ? 'up' : tone === 'bad' ? 'down' : ''}>{note}</small>}</>}</dd></div>;
}
/** The shape of what is coming, so nothing jumps. */
export const Sk = ({ w = '100%', h = 14 }: { w?: number | string; h?: number }) => <span className="sk" aria-hidden style={{ width: w, height: h }} />;
export function SkLines({ lines = 4 }: { lines?: number }) {
  const { t } = useTranslation();
  return <div className="sk-lines" role="status"><span className="vh">{t('ui.loading')}</span>{Array.from({ length: lines }, (_, i) => <Sk key={i} w={`${90 - ((i * 17) % 45)}%`} />)}</div>;
}
export function PageSkeleton() {
  return <><div className="head"><div><Sk w={220} h={26} /><div className="gap-top"><Sk w={300} /></div></div></div><div className="panel pad"><SkLines lines={8} /></div></>;
}
export function Panel({ title, actions, children, pad }: { title?: string; actions?: ReactNode; children: ReactNode; pad?: boolean }) {
  return <section className="panel" aria-label={title}>{title && <header><h2>{title}</h2>{actions && <div className="acts">{actions}</div>}</header>}<div className={pad ? 'pad' : undefined}>{children}</div></section>;
}
/** What would be here, how to get it there, and the button for it. */
export function Empty({ icon: Shown = IconInbox, title, children, action, bare }: { icon?: Icon; title: string; children?: ReactNode; action?: ReactNode; bare?: boolean }) {
  return <div className={bare ? 'empty' : 'empty panel'}><Shown size={22} aria-hidden stroke={1.6} /><p className="semi">{title}</p>{children && <p className="dim2 sm">{children}</p>}{action && <div className="acts">{action}</div>}</div>;
}
/** Says what happened, what would be needed, and gives the request id of what we did not expect. */
export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation();
  const p = error instanceof ApiProblem ? error : null;
  const again = retry && <Button variant="default" onClick={retry}>{t('ui.tryAgain')}</Button>;
  if (p?.code === 'forbidden') return <Empty icon={IconLock} title={t('problem.forbidden.title')}>{p.why ?? p.detail ?? t('problem.forbidden.text')}{p.needs && <><br />{t('ui.needs', { needs: p.needs })}</>}</Empty>;
  if (p?.code === 'not_found') return <Empty title={t('problem.not_found.title')} action={again}>{t('problem.not_found.text')}</Empty>;
  if (p?.code === 'offline') return <Empty icon={IconPlugConnectedX} title={t('problem.offline.title')} action={again}>{t('problem.offline.text')}</Empty>;
  return (
    <Empty icon={IconAlertTriangle} title={t('problem.internal.title')} action={again}>
      {p ? problemText(p) : t('problem.internal.text')}{p?.requestId && <><br /><span className="mono">{t('ui.requestId', { id: p.requestId })}</span></>}
    </Empty>
  );
}
/** One sentence for a failed call, for toasts and forms. */
export function problemText(error: unknown): string {
  const { t } = i18n;
  if (!(error instanceof ApiProblem)) return t('problem.internal.text');
  if (error.code === 'too_many_requests') return t('problem.too_many_requests', { count: error.retryAfterSeconds ?? 30 });
  if (error.code === 'precondition_failed') return t('problem.precondition_failed');
  if (error.code === 'offline') return t('problem.offline.text');
  if (error.code === 'step_up_required') return t('problem.step_up_required');
  if (error.code === 'reauth_required') return t('problem.reauth_required');
  if (error.code === 'forbidden') return [error.why ?? error.detail ?? t('problem.forbidden.text'), error.needs && t('ui.needs', { needs: error.needs })].filter(Boolean).join(' ');
  if (error.code === 'internal') return [t('problem.internal.text'), error.requestId && t('ui.requestId', { id: error.requestId })].filter(Boolean).join(' ');
  return error.detail ?? error.errors[0]?.message ?? error.title;
}
