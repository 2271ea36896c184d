import { useTranslation } from 'react-i18next';
import type { Alert, Facts, Urgency } from '../api';
import { instantOf, numberOf } from './alert-facts';
import { Badge, Dot, type Tone } from './bits';
import { date, num } from './format';

const URGENCY: Record<Urgency, string> = { critical: 'var(--bar-bad)', warning: 'var(--bar-warn)', info: 'var(--info)' };
export const urgencyColour = (u: Urgency) => URGENCY[u];
export function UrgencyDot({ u, word }: { u: Urgency; word?: boolean }) {
  const { t } = useTranslation();
  const said = t(`alerts.urgency.${u}`);
  return word ? <span className="with-dot"><Dot color={URGENCY[u]} />{said}</span> : <><Dot color={URGENCY[u]} /><span className="vh">{said}: </span></>;
}
const TONES: Record<Alert['state'], Tone> = { open: 'bad', acknowledged: 'near', snoozed: 'plain', resolved: 'good' };
export function AlertStateBadge({ state }: { state: Alert['state'] }) {
  const { t } = useTranslation();
  return <Badge tone={TONES[state]}>{t(`alerts.state.${state}`)}</Badge>;
}
/** What happened, and how much of it. Words belong to the "hub" part. */
export function useAlertWords() {
  const { t } = useTranslation();
  const rule = (name: string) => t(`alerts.rule.${name}` as 'alerts.rule.limit_crossed', { defaultValue: name });
  const text = ({ rule: name, facts }: { rule: string; facts: Facts }): string => {
    const count = numberOf(facts, 'count', 'criticals', 'refused', 'new');
    const day = instantOf(facts, 'ends_at', 'expires_at', 'stale_since', 'scan_at');
    const [used, max] = [numberOf(facts, 'used'), numberOf(facts, 'max')];
    if (name === 'limit_crossed' && used !== null && max !== null) return t('alerts.facts.limit', { used: num(used), max: num(max) });
    if (name === 'new_criticals' && count !== null) return t('alerts.facts.criticals', { count, n: num(count) });
    if (name === 'writes_refused' && count !== null) return t('alerts.facts.refused', { count, n: num(count) });
    if (name === 'scan_stale') return day ? t('alerts.facts.staleSince', { date: date(day) }) : '';
    return day ? t('alerts.facts.ends', { date: date(day) }) : '';
  };
  return { rule, title: (a: { rule: string; label: string }) => (a.label ? t('alerts.titleOf', { rule: rule(a.rule), label: a.label }) : rule(a.rule)), text };
}
