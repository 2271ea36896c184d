import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { exact } from './format';

/** What is left, as a clock: "4:59", "1:04:10"; "0:00" when it is over. Seconds are rounded up, so that "0:01" means not over yet. */
export function countdown(leftMs: number): string {
  const all = Math.max(0, Math.ceil(leftMs / 1000));
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const two = (n: number) => String(n).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
/** The time now, ticking each second; it stands still when nothing runs. */
export function useSecond(on: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!on) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [on]);
  return now;
}
/** A live clock until an instant; `onEnd` is called once, when it is over. */
export function Countdown({ to, onEnd }: { to: string; onEnd?: () => void }) {
  const { t } = useTranslation();
  const left = Date.parse(to) - useSecond(true);
  const over = left <= 0;
  useEffect(() => { if (over) onEnd?.(); /* only the crossing counts */ }, [over]); // oxlint-disable-line react/exhaustive-deps
  return <time dateTime={to} title={exact(to)} className="num nowrap">{over ? t('elevation.over') : t('elevation.left', { time: countdown(left) })}</time>;
}
