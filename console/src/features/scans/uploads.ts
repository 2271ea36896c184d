import { useSyncExternalStore } from 'react';
import { isProblem, path, upload, type Scan } from '../../api';

export interface ImportOptions { format: string; partial: boolean }
export type Uploading =
  | { state: 'sending'; name: string; sent: number; total: number; cancel: () => void }
  | { state: 'failed'; name: string; problem: unknown }
  | { state: 'done'; name: string; scan: Scan };

// One upload per tenant. It lives outside the page, so that the page can be left and the upload found again.
const uploads = new Map<string, Uploading>();
const watchers = new Set<() => void>();
const tell = () => { for (const w of watchers) w(); };
const watch = (w: () => void) => { watchers.add(w); return () => { watchers.delete(w); }; };
const warn = (e: BeforeUnloadEvent) => e.preventDefault();
function put(slug: string, next: Uploading | null) {
  if (next) uploads.set(slug, next); else uploads.delete(slug);
  if ([...uploads.values()].some((u) => u.state === 'sending')) addEventListener('beforeunload', warn); else removeEventListener('beforeunload', warn);
  tell();
}
export const useUpload = (slug: string) => useSyncExternalStore(watch, () => uploads.get(slug) ?? null);
export const dismiss = (slug: string) => put(slug, null);

export function begin(slug: string, file: File, { format, partial }: ImportOptions, settled: (u: Uploading) => void) {
  if (uploads.get(slug)?.state === 'sending') return;
  const { done, cancel } = upload<Scan>(path`/tenants/${slug}/scans`, file, { file: file.name, format, partial }, (sent, total) => put(slug, { state: 'sending', name: file.name, sent, total, cancel }));
  put(slug, { state: 'sending', name: file.name, sent: 0, total: file.size, cancel });
  done.then(
    ({ body }) => { const u: Uploading = { state: 'done', name: file.name, scan: body }; put(slug, u); settled(u); },
    (problem: unknown) => {
      if (isProblem(problem, 'cancelled')) { put(slug, null); return; }
      const u: Uploading = { state: 'failed', name: file.name, problem };
      put(slug, u); settled(u);
    },
  );
}
