import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { apiUrl, path } from './client';
import { keys } from './queries';

const FIRST_WAIT_MS = 2000;
const WAIT_MAX_MS = 60_000;
/** EventSource.CLOSED: the answer was no stream. */
const CLOSED = 2;
/** How long to wait before the n-th try (from 0) to connect again: doubling, within bounds. */
export const backoffMs = (n: number) => Math.min(WAIT_MAX_MS, FIRST_WAIT_MS * 2 ** n);

export interface WatchEvents {
  /** What the person may do here changed, or might have while nobody listened. */
  changed: () => void;
  /** Nothing is left, or the stream is refused: whoever listens looks for the reason. */
  gone: () => void;
}
export interface WatchWorld { open: (url: string) => EventSource; hidden: () => boolean; onVisibility: (changed: () => void) => () => void }
const browser: WatchWorld = {
  open: (url) => new EventSource(url),
  hidden: () => document.hidden,
  onVisibility: (changed) => { document.addEventListener('visibilitychange', changed); return () => document.removeEventListener('visibilitychange', changed); },
};

/** Listens to a tenant's stream until the returned function is called. A tab that nobody sees holds no connection (browsers allow six to one address);
 *  when it is seen again, it asks first what has changed. Broken connections are tried again ever more slowly; after `gone` there is nothing to wait for. */
export function watchTenant(slug: string, events: WatchEvents, world: WatchWorld = browser): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tries = 0;
  let missed = false;
  let over = false;
  const close = () => { clearTimeout(timer); source?.close(); source = null; };
  const stop = () => { over = true; close(); forget(); };
  const connect = () => {
    close();
    if (over || world.hidden()) return;
    const mine = world.open(apiUrl(path`/tenants/${slug}/context/watch`));
    source = mine;
    mine.addEventListener('open', () => { tries = 0; if (missed) { missed = false; events.changed(); } });
    mine.addEventListener('changed', () => events.changed());
    mine.addEventListener('gone', () => { stop(); events.gone(); });
    mine.addEventListener('error', () => {
      if (source !== mine) return;
      // The browser would try again at once after an end of the stream, and never after a refusal.
      const refused = mine.readyState === CLOSED;
      close();
      missed = true;
      if (refused) events.changed();
      timer = setTimeout(connect, backoffMs(tries++));
    });
  };
  const forget = world.onVisibility(() => {
    if (over) return;
    if (world.hidden()) { missed = true; close(); return; }
    if (missed) { missed = false; events.changed(); }
    tries = 0;
    connect();
  });
  connect();
  return stop;
}

const RENDER_MS = 50;
const rendered = () => new Promise<void>((done) => { setTimeout(done, RENDER_MS); });

/** Only while the context can be read: what changes for the person is read anew, and the connection ends with the page. */
export function useTenantWatch(slug: string, on: boolean) {
  const client = useQueryClient();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (!on || typeof EventSource === 'undefined') return;
    const key = keys.tenant(slug, 'context');
    let again: ReturnType<typeof setTimeout> | undefined;
    const look = async () => { await client.invalidateQueries({ queryKey: key }); return client.getQueryState(key)?.status === 'success'; };
    // What the page may not ask for any more is switched off first, by the new context; the rest is read anew.
    const changed = () => void look().then(async (open) => { await rendered(); if (open) await client.invalidateQueries({ queryKey: keys.tenant(slug), predicate: (q) => q.queryKey[2] !== 'context' }); });
    // It may have come back in the very moment: then it is listened to again.
    const gone = () => void look().then((open) => { if (open) again = setTimeout(() => setTurn((n) => n + 1), FIRST_WAIT_MS); });
    const stop = watchTenant(slug, { changed, gone });
    return () => { clearTimeout(again); stop(); };
  }, [client, slug, on, turn]);
}
