import { useTranslation } from 'react-i18next';
import { MASK_OPS, type Client, type ElevationState, type InvitationState, type LedgerEntry, type Mask, type RelationshipState, type RequestState, type ScanStatus, type Seats, type Severity, type TenantState, type Tier as TierName } from '../api';
import { num, percent, score as scoreText, signed } from './format';
import { RelativeTime } from './time';

/** Identity colours stay between teal and violet: red, amber and green are kept for state. */
const hue = (s: string) => { let h = 7; for (const c of s) h = (h * 31 + c.charCodeAt(0)) % 9973; return 180 + (h % 9) * 17; };
export const initials = (name: string) => name.split(/[^\p{L}\p{N}]+/u).filter(Boolean).slice(0, 2).map((w) => w[0]!.toUpperCase()).join('');
export const contextColour = (slug: string) => `oklch(.58 .13 ${hue(slug)})`;
export function Av({ slug, name, small, round }: { slug: string; name: string; small?: boolean; round?: boolean }) {
  return <span aria-hidden className={`mono-av${small ? ' s' : ''}${round ? ' round' : ''}`} style={{ ['--h' as string]: hue(slug) }}>{initials(name)}</span>;
}

export function Tier({ t: tier, long }: { t: TierName; long?: boolean }) {
  const { t } = useTranslation();
  return <span className="tier" title={`${tier} ${t(`tier.${tier}`)}: ${t(`tier.allows.${tier}`)}`}><b>{tier}</b>{long ? ` ${t(`tier.${tier}`)}` : ''}</span>;
}

const BANDS = { good: 'var(--bar-ok)', near: 'var(--bar-warn)', bad: 'var(--bar-bad)', none: 'var(--ink-3)' } as const;
export const bandName = (score: number | null): keyof typeof BANDS => (score === null ? 'none' : score >= 80 ? 'good' : score >= 65 ? 'near' : 'bad');
export const band = (score: number | null) => BANDS[bandName(score)];
export function Score({ value, size = 'md' }: { value: number | null; size?: 'md' | 'lg' }) {
  const { t } = useTranslation();
  if (value === null) return <span className={size === 'lg' ? 'score' : 'dim'} title={t('ui.noScore')}>–<span className="vh">{t('ui.noScore')}</span></span>;
  if (size === 'md') return <b className="num semi" title={percent(value)}>{scoreText(value)}</b>;
  return <span className="score num" title={percent(value)}>{scoreText(value).replace(/\s?%$/, '')}<i>%</i></span>;
}
export function Delta({ value, none }: { value: number | null; none?: string }) {
  const { t } = useTranslation();
  if (value === null) return <span className="xs dim">{none ?? t('ui.noBaseline')}</span>;
  const rounded = Math.round(value * 10) / 10;
  return <span className="xs num" style={{ color: rounded < 0 ? 'var(--crit)' : rounded > 0 ? 'var(--ok)' : 'var(--ink-3)' }}>{rounded === 0 ? t('ui.noChange') : t('ui.points', { n: signed(rounded) })}<span className="dim"> {t('ui.in30Days')}</span></span>;
}
/** Gaps (days without a score) are bridged; decoration for the eye, so hidden from screen readers. */
export function Spark({ data, w = 96, h = 30, color }: { data: (number | null)[]; w?: number; h?: number; color: string }) {
  const points = data.flatMap((v, i) => (v === null ? [] : [[i, v] as const]));
  if (points.length === 0) return <span style={{ width: w, height: h, flex: 'none' }} aria-hidden />;
  const lo = Math.min(...points.map((p) => p[1])) - 2;
  const hi = Math.max(...points.map((p) => p[1])) + 2;
  const x = (i: number) => 1 + (i / Math.max(1, data.length - 1)) * (w - 5);
  const y = (v: number) => h - 3 - ((v - lo) / (hi - lo)) * (h - 6);
  const line = points.map(([i, v], k) => `${k ? 'L' : 'M'}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join('');
  const [first, last] = [points[0]!, points.at(-1)!];
  return (
    <svg width={w} height={h} aria-hidden className="spark">
      {points.length > 1 && <path d={`${line}L${x(last[0])} ${h}L${x(first[0])} ${h}Z`} fill={color} opacity=".08" />}
      <path d={line} fill="none" stroke={color} strokeWidth="1.5" strokeLinejoin="round" />
      <circle cx={x(last[0])} cy={y(last[1])} r="2.5" fill={color} />
    </svg>
  );
}

export const Dot = ({ color }: { color: string }) => <span className="dot" aria-hidden style={{ background: color }} />;
const SCAN = { current: 'var(--bar-ok)', stale: 'var(--bar-warn)', never: 'var(--ink-3)' } as const;
export function ScanState({ scan }: { scan: { status: ScanStatus; at: string | null } }) {
  const { t } = useTranslation();
  return <span className="with-dot"><Dot color={SCAN[scan.status]} />{t(`scan.${scan.status}`)}{scan.at && <span className="dim"><RelativeTime at={scan.at} /></span>}</span>;
}
const SEVERITY: Record<Severity, string> = { critical: 'var(--bar-bad)', high: 'var(--bar-warn)', medium: 'var(--bar-med)', low: 'var(--bar-low)', informational: 'var(--ink-3)', unknown: 'var(--ink-3)' };
export const severityColour = (s: Severity) => SEVERITY[s];
export function SeverityLabel({ s }: { s: Severity }) {
  const { t } = useTranslation();
  return <span className="with-dot"><Dot color={SEVERITY[s]} />{t(`severity.${s}`)}</span>;
}
/** A number of failing controls with its severity as a word (`bare`: the column says it). */
export function SevCount({ kind, n, bare }: { kind: 'critical' | 'high'; n: number; bare?: boolean }) {
  const { t } = useTranslation();
  return <span className={`sev ${n ? kind[0] : 'z'}`}>{num(n)}{bare ? <span className="vh"> {t(`severity.${kind}`)}</span> : <span>{t(`severity.short.${kind}`)}</span>}</span>;
}

export type Tone = 'good' | 'near' | 'bad' | 'plain';
export const Badge = ({ tone = 'plain', children }: { tone?: Tone; children: React.ReactNode }) => <span className={`badge ${tone}`}>{children}</span>;
export type State = TenantState | RelationshipState | InvitationState | ElevationState | RequestState | 'retired' | 'disabled' | 'ok' | 'over_limit' | 'unlimited' | LedgerEntry['outcome'];
const TONES: Record<State, Tone> = {
  active: 'good', suspended: 'near', archived: 'plain', purged: 'bad', requested: 'near', expiring: 'near', expired: 'bad', frozen: 'bad', ended: 'bad',
  open: 'near', accepted: 'good', revoked: 'plain', disabled: 'plain', ok: 'good', over_limit: 'bad', unlimited: 'plain', done: 'good', refused: 'near', failed: 'bad', running: 'good', denied: 'bad', cancelled: 'plain', lapsed: 'plain', approved: 'good', pending: 'near', waiting: 'near', withdrawn: 'plain', overtaken: 'plain', retired: 'plain',
};
/** `tone` where a state means something else than usual: an elevation that ended is as it should be. */
export function StateBadge({ state, tone }: { state: State; tone?: Tone }) {
  const { t } = useTranslation();
  return <Badge tone={tone ?? TONES[state]}>{t(`state.${state}`)}</Badge>;
}
export function Usage({ used, limit, label }: { used: number; limit: number | null; label: string }) {
  const share = limit ? used / limit : used > 0 && limit === 0 ? 2 : 0;
  return <div className="ubar" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={Math.max(limit ?? used, used, 1)} aria-valuenow={used}><i style={{ width: `${Math.min(100, share * 100)}%`, background: share > 1 ? 'var(--bar-bad)' : share > 0.9 ? 'var(--bar-warn)' : 'var(--brand-bar)' }} /></div>;
}
export function SeatsUsed({ seats }: { seats: Seats }) {
  const { t } = useTranslation();
  return <span className="num" style={seats.status === 'over_limit' ? { color: 'var(--crit)', fontWeight: 600 } : undefined}>{num(seats.used)}<span className="dim"> / {seats.limit === null ? '∞' : num(seats.limit)}</span>{seats.status === 'over_limit' && <span className="vh"> {t('state.over_limit')}</span>}</span>;
}
export const ClientName = ({ c }: { c: Pick<Client, 'slug' | 'name'> }) => <span className="row"><Av slug={c.slug} name={c.name} small /><span className="trunc semi">{c.name}</span></span>;
/** What an assignment's mask lets through: V C U D, the missing ones struck. */
export function AssignmentMask({ mask }: { mask: Mask }) {
  const { t } = useTranslation();
  return <span className="mask" title={MASK_OPS.filter((o) => mask[o]).map((o) => t(`mask.${o}`)).join(', ')}>{MASK_OPS.map((o) => <i key={o} className={mask[o] ? undefined : 'no'} aria-hidden>{t(`mask.${o}`)[0]}</i>)}<span className="vh">{MASK_OPS.filter((o) => mask[o]).map((o) => t(`mask.${o}`)).join(', ')}</span></span>;
}
