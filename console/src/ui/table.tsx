import { Checkbox } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconArrowsSort } from '@tabler/icons-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorState, Sk } from './page';

export interface Column<T> {
  key: string; title: string; cell: (row: T) => ReactNode;
  /** The API's sort name; the head becomes a button. */
  sort?: string;
  /** Right-aligned, tabular figures. */
  num?: boolean;
  width?: number | string;
  /** The head is only for screen readers (action columns). */
  quiet?: boolean;
}
export interface TableProps<T> {
  caption: string; columns: Column<T>[]; rows: T[] | undefined; rowKey: (row: T) => string;
  error?: unknown; retry?: () => void;
  /** Shown instead of the table when there are no rows. */
  empty: ReactNode;
  /** `list.view.sort` and `list.toggleSort` of useList. */
  sort?: string; onSort?: (key: string) => void;
  /** For the mouse; give the keyboard a link or button in the first cell. */
  onRow?: (row: T) => void;
  tone?: (row: T) => 'bad' | 'quiet' | 'total' | undefined;
  selection?: { ids: ReadonlySet<string>; onChange: (ids: ReadonlySet<string>) => void; label: (row: T) => string };
  skeletonRows?: number;
  /** Old rows while new ones load: dimmed, in place. */
  stale?: boolean;
}
/** One look for every table. Below 640 px each row becomes a card with its heads beside the values. */
export function DataTable<T>({ caption, columns, rows, rowKey, error, retry, empty, sort, onSort, onRow, tone, selection, skeletonRows = 8, stale }: TableProps<T>) {
  const { t } = useTranslation();
  const [box, scrolls] = useScrolls();
  if (error && !rows) return <ErrorState error={error} retry={retry} />;
  if (rows?.length === 0) return <>{empty}</>;
  const chosen = rows?.filter((r) => selection?.ids.has(rowKey(r))).length ?? 0;
  const toggle = (id: string) => { const next = new Set(selection!.ids); if (!next.delete(id)) next.add(id); selection!.onChange(next); };
  return (
    <div className="panel table-box" ref={box} {...(scrolls ? { tabIndex: 0, role: 'region', 'aria-label': caption } : {})} aria-busy={!rows || stale}>
      <table className={stale ? 'tbl stale' : 'tbl'} role="table">
        <caption className="vh">{caption}</caption>
        <thead role="rowgroup"><tr role="row">
          {selection && <th role="columnheader" scope="col" className="pick"><Checkbox size="xs" aria-label={t('ui.selectAll')} checked={chosen > 0 && chosen === rows?.length} indeterminate={chosen > 0 && chosen < (rows?.length ?? 0)} onChange={() => selection.onChange(new Set(chosen === rows?.length ? [] : rows?.map(rowKey)))} /></th>}
          {columns.map((c) => {
            const on = c.sort && sort?.replace(/^-/, '') === c.sort;
            const down = sort?.startsWith('-');
            return (
              <th key={c.key} role="columnheader" scope="col" className={c.num ? 'r' : undefined} style={{ width: c.width }} aria-sort={on ? (down ? 'descending' : 'ascending') : undefined}>
                {c.sort && onSort ? <button type="button" onClick={() => onSort(c.sort!)}>{c.title}{on ? (down ? <IconArrowDown size={13} aria-hidden /> : <IconArrowUp size={13} aria-hidden />) : <IconArrowsSort size={13} aria-hidden className="faint" />}</button> : c.quiet ? <span className="vh">{c.title}</span> : c.title}
              </th>
            );
          })}
        </tr></thead>
        <tbody role="rowgroup">
          {rows ? rows.map((row) => {
            const id = rowKey(row);
            return (
              // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the first cell holds the link or button for the keyboard
              <tr key={id} role="row" className={[tone?.(row), onRow && 'goes'].filter(Boolean).join(' ') || undefined} onClick={onRow && ((e) => { if (!(e.target as HTMLElement).closest('a,button,input,label,[role="menuitem"]')) onRow(row); })}>
                {selection && <td role="cell" className="pick"><Checkbox size="xs" aria-label={selection.label(row)} checked={selection.ids.has(id)} onChange={() => toggle(id)} /></td>}
                {columns.map((c) => <td key={c.key} role="cell" data-label={c.quiet ? undefined : c.title} className={c.num ? 'r num' : undefined}>{c.cell(row)}</td>)}
              </tr>
            );
          }) : Array.from({ length: skeletonRows }, (_, i) => <tr key={i} role="row">{selection && <td role="cell" className="pick" />}{columns.map((c, k) => <td key={c.key} role="cell"><Sk w={k === 0 ? '70%' : `${35 + ((i * 13 + k * 29) % 40)}%`} />{i === 0 && k === 0 && <span className="vh">{t('ui.loading')}</span>}</td>)}</tr>)}
        </tbody>
      </table>
    </div>
  );
}
/** A box that scrolls must be reachable by keyboard; one that doesn't must not be a stop. */
function useScrolls(): [React.RefObject<HTMLDivElement | null>, boolean] {
  const box = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const el = box.current;
    if (!el || typeof ResizeObserver === 'undefined') return;
    const measure = () => setScrolls(el.scrollWidth > el.clientWidth + 1);
    const observer = new ResizeObserver(measure);
    observer.observe(el);
    if (el.firstElementChild) observer.observe(el.firstElementChild);
    return () => observer.disconnect();
  });
  return [box, scrolls];
}
