import { useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { exact, relative } from './format';

let now = Date.now();
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
function watch(changed: () => void) {
  watchers.add(changed);
  timer ??= setInterval(() => { now = Date.now(); for (const w of watchers) w(); }, 30_000);
  return () => { watchers.delete(changed); if (watchers.size === 0) { clearInterval(timer); timer = undefined; } };
}
/** One clock for the page, ticking twice a minute. */
export const useNow = () => useSyncExternalStore(watch, () => now);

/** Relative, with the exact instant on hover. `never` is shown for null. */
export function RelativeTime({ at, never }: { at: string | null; never?: string }) {
  useTranslation();
  const current = Math.max(useNow(), at && Date.parse(at) <= Date.now() ? Date.parse(at) : 0);
  if (!at) return <span className="dim">{never ?? '–'}</span>;
  return <time dateTime={at} title={exact(at)} className="nowrap">{relative(at, current)}</time>;
}
