import { Button, CloseButton, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconChevronLeft, IconChevronRight, IconSearch } from '@tabler/icons-react';
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Query } from '../api';
import { num } from './format';
import { parse, text, type Parsed, type Spec } from './search';

/** Reads and writes the address. Writing undefined takes a value out of it. */
export function useAddress<S extends Spec>(spec: S): [Parsed<S>, (change: Partial<Record<string, unknown>>, opts?: { push?: boolean }) => void] {
  const raw = useSearch({ strict: false }) as Record<string, unknown>;
  const navigate = useNavigate();
  const set = (change: Partial<Record<string, unknown>>, opts?: { push?: boolean }) =>
    void navigate({ to: '.', search: ((old: Record<string, unknown>) => ({ ...old, ...change })) as never, replace: !opts?.push, resetScroll: false });
  return [parse(spec, raw), set];
}

export interface ListState<S extends Spec> {
  /** What the address says, parsed: q, sort, cursor and the filters. */
  view: Parsed<S> & { q: string | undefined; sort: string; cursor: string | undefined };
  /** For the API: q, sort, cursor, limit and the filters. */
  query: Query;
  /** Changes filters and goes back to the first page. */
  set: (change: { [K in keyof S]?: ReturnType<S[K]> } & { q?: string; sort?: string }) => void;
  /** name → -name → name */
  toggleSort: (key: string) => void;
  filtered: boolean;
  clear: () => void;
  goTo: (cursor: string | undefined) => void;
}
/** A list whose search, filters, sort and page live in the address. `sort` is the default; anything in `sorts` may be asked for, with or without "-". */
export function useList<S extends Spec>({ sort, sorts, filters, limit = 50 }: { sort: string; sorts: readonly string[]; filters: S; limit?: number }): ListState<S> {
  const sortParser = (raw: unknown) => (typeof raw === 'string' && sorts.includes(raw.replace(/^-/, '')) ? raw : undefined);
  const [address, setAddress] = useAddress({ ...filters, q: text, sort: sortParser, cursor: text });
  const seen = address as Parsed<S> & { q?: string; sort?: string; cursor?: string };
  const chosen = seen.sort ?? sort;
  const filterValues = Object.fromEntries(Object.keys(filters).map((k) => [k, (seen as Record<string, unknown>)[k]])) as Query;
  const set = (change: Record<string, unknown>) => setAddress({ ...change, cursor: undefined });
  return {
    view: { ...seen, q: seen.q, sort: chosen, cursor: seen.cursor },
    query: { q: seen.q, sort: chosen, cursor: seen.cursor, limit, ...filterValues },
    set,
    toggleSort: (key) => { const next = chosen === key ? `-${key}` : key; set({ sort: next === sort ? undefined : next }); },
    filtered: Boolean(seen.q) || Object.values(filterValues).some((v) => v !== undefined),
    clear: () => set({ q: undefined, ...Object.fromEntries(Object.keys(filters).map((k) => [k, undefined])) }),
    goTo: (cursor) => setAddress({ cursor }, { push: true }),
  };
}

export function SearchBox({ label, placeholder, value, onChange, w = 240 }: { label: string; placeholder?: string; value: string | undefined; onChange: (q: string | undefined) => void; w?: number }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(value ?? '');
  const commit = useDebouncedCallback((q: string) => onChange(q.trim() || undefined), 250);
  useEffect(() => { setTyped((now) => (now.trim() === (value ?? '') ? now : (value ?? ''))); }, [value]);
  return <TextInput type="search" aria-label={label} placeholder={placeholder ?? label} w={w} className="searchbox" leftSection={<IconSearch size={15} aria-hidden />} value={typed} onChange={(e) => { setTyped(e.currentTarget.value); commit(e.currentTarget.value); }}
    rightSection={typed ? <CloseButton size="sm" aria-label={t('ui.clear')} onClick={() => { setTyped(''); onChange(undefined); }} /> : null} />;
}
export function Chip({ on, count, onClick, children, dot }: { on: boolean; count?: number; onClick: () => void; children: ReactNode; dot?: string }) {
  return <button type="button" className="chip" aria-pressed={on} onClick={onClick}>{dot && <span className="dot" aria-hidden style={{ background: dot }} />}{children}{count !== undefined && <span className="num dim">{num(count)}</span>}</button>;
}
/** Chips of which one is chosen; undefined stands for "all". */
export function Chips<V extends string>({ label, value, onChange, options }: { label: string; value: V | undefined; onChange: (v: V | undefined) => void; options: { value: V | undefined; label: string; count?: number }[] }) {
  return <div className="chips" role="group" aria-label={label}>{options.map((o) => <Chip key={o.value ?? ''} on={value === o.value} count={o.count} onClick={() => onChange(o.value)}>{o.label}</Chip>)}</div>;
}
/** The address holds the cursor; the browser's history holds the way back. */
export function Pager({ list, page }: { list: { view: { cursor?: string | undefined }; goTo: (cursor: string | undefined) => void }; page: { items: unknown[]; next: string | null; total: number } | undefined }) {
  const { t } = useTranslation();
  const router = useRouter();
  if (!page || (!page.next && !list.view.cursor)) return page && page.total > 0 ? <p className="pager dim sm">{t('ui.total', { count: page.total, n: num(page.total) })}</p> : null;
  const back = () => (router.history.canGoBack() ? router.history.back() : list.goTo(undefined));
  return (
    <nav className="pager sm" aria-label={t('ui.pages')}>
      <span className="dim">{t('ui.total', { count: page.total, n: num(page.total) })}</span>
      <span className="grow" />
      {list.view.cursor && <><Button variant="subtle" color="gray" size="compact-sm" onClick={() => list.goTo(undefined)}>{t('ui.firstPage')}</Button><Button variant="default" size="compact-md" leftSection={<IconChevronLeft size={14} />} onClick={back}>{t('ui.previous')}</Button></>}
      <Button variant="default" size="compact-md" rightSection={<IconChevronRight size={14} />} disabled={!page.next} onClick={() => page.next && list.goTo(page.next)}>{t('ui.next')}</Button>
    </nav>
  );
}
