import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import type { PlanTerms } from '../../api';
import { fmt } from '../../ui';
import { termChanges, type TermChange } from './terms';

export const useModuleName = () => { const { t } = useTranslation(); return (m: string) => t(`module.${m}` as 'module.compliance', { defaultValue: m }); };
/** "Unlimited", "None" or the number. */
export const useLimitText = () => { const { t } = useTranslation(); return (n: number | null) => (n === null ? t('plans.unlimited') : n === 0 ? t('plans.none') : fmt.num(n)); };

/** What a version does differently, as a list of words. */
export function Changes({ from, to, none }: { from: PlanTerms; to: PlanTerms; none: string }) {
  const changes = termChanges(from, to);
  if (changes.length === 0) return <p className="flush sm dim">{none}</p>;
  return <ul className="plain-list">{changes.map((c, i) => <li key={i}><Change c={c} /></li>)}</ul>;
}
function Change({ c }: { c: TermChange }) {
  const { t } = useTranslation();
  const module = useModuleName();
  const limit = useLimitText();
  if (c.what === 'module') return <span className={c.opens ? 'good-ink' : 'crit-text'}>{t(c.opens ? 'plans.opens' : 'plans.closesWhat', { what: module(c.module) })}</span>;
  const [label, from, to] = c.what === 'limit' ? [t(`limit.${c.limit}`), limit(c.from), limit(c.to)] : c.what === 'trial' ? [t('plans.trial'), t('plans.trialDays', { count: c.from }), t('plans.trialDays', { count: c.to })] : [t(`plans.${c.what}`), fmt.micros(c.from, c.currency), fmt.micros(c.to, c.currency)];
  return <>{label}: <span className="dim2">{from}</span> <span aria-hidden>→</span><span className="vh">{t('plans.becomes')}</span> <b>{to}</b></>;
}
