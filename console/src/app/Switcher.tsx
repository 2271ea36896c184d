import { Popover, TextInput } from '@mantine/core';
import { useDebouncedValue, useHotkeys } from '@mantine/hooks';
import { IconBuildingCommunity, IconCheck, IconPin, IconPinnedFilled, IconSearch, IconSelector } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMe, useMeUpdate, useProviderSlug, useSwitchable } from '../api';
import { Av, Dot, Go, Tier, band, fmt, tenantPath, toastProblem } from '../ui';
import { tenantPages } from './pages';
import { groups, places, recents, type Place } from './switching';

/** Every row is a real link, so Ctrl-click opens the tenant in another tab. Switching keeps the page when the target has it. */
export function Switcher({ slug, section, name }: { slug: string | null; section: string | undefined; name: string | undefined }) {
  const { t } = useTranslation();
  const me = useMe();
  const provider = useProviderSlug();
  const navigate = useNavigate();
  const update = useMeUpdate();
  const [open, setOpen] = useState(false);
  const [q, setQ] = useState('');
  const [on, setOn] = useState(0);
  const [asked] = useDebouncedValue(q.trim(), 200);
  const { items, total } = useSwitchable(provider, asked);
  useHotkeys([['mod+O', () => setOpen(true)]]);

  const pinned = me.person.preferences.pinned;
  const all = useMemo(() => places(me, items), [me, items]);
  const shown = useMemo(() => groups(all, q, pinned, recents(me.person.id).filter((s) => s !== slug)), [all, q, pinned, me.person.id, slug]);
  const page = tenantPages.some((p) => p.path === section) ? section! : 'overview';
  const to = (p: Place) => tenantPath(p.slug, page);
  const rows: (Place | 'all')[] = [...(provider && !q.trim() ? ['all' as const] : []), ...shown.flatMap((g) => g.places)];
  useEffect(() => { if (open) { setQ(''); setOn(0); } }, [open]);
  useEffect(() => { if (open) document.getElementById(`sw-${on}`)?.scrollIntoView?.({ block: 'nearest' }); }, [on, open]);

  const go = (row: Place | 'all' | undefined) => {
    if (!row || (row !== 'all' && row.blocked !== null)) return;
    setOpen(false);
    void navigate({ to: row === 'all' ? '/' : to(row) });
  };
  const keyed = (e: React.KeyboardEvent) => {
    const move = { ArrowDown: on + 1, ArrowUp: on - 1, Home: 0, End: rows.length - 1, PageDown: on + 8, PageUp: on - 8 }[e.key];
    if (move !== undefined && !(e.key === 'Home' && q) && !(e.key === 'End' && q)) { e.preventDefault(); setOn(Math.max(0, Math.min(rows.length - 1, move))); }
    if (e.altKey && e.key.toLowerCase() === 'p') { e.preventDefault(); const row = rows[on]; if (row && row !== 'all') pin(row); }
    if (e.key === 'Enter') {
      e.preventDefault();
      const row = rows[on];
      if ((e.ctrlKey || e.metaKey) && row) window.open(row === 'all' ? '/' : to(row), '_blank', 'noopener'); else go(row);
    }
  };
  const pin = (place: Place) => update.mutate({ preferences: { ...me.person.preferences, pinned: pinned.includes(place.slug) ? pinned.filter((s) => s !== place.slug) : [...pinned, place.slug] } }, { onError: toastProblem });

  const many = provider ? total : me.tenants.length;
  const member = me.tenants.some((x) => x.slug === slug);
  const label = slug ? (name ?? slug) : provider ? t('switcher.all') : t('switcher.yours');
  const sub = slug ? t(member ? 'switcher.member' : 'switcher.client') : provider ? t('switcher.providerView', { count: total }) : me.person.name;
  const Building = <span className="logo s" aria-hidden><IconBuildingCommunity size={15} /></span>;
  const indexOf = (p: Place) => rows.indexOf(p);
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" width={340} shadow="lg" radius="lg" trapFocus returnFocus offset={4} transitionProps={{ duration: 0 }} zIndex={200}>
      <Popover.Target>
        <button type="button" className="switch" onClick={() => setOpen((o) => !o)} aria-haspopup="dialog" aria-expanded={open}>
          {slug ? <Av slug={slug} name={label} small /> : Building}
          <span className="min0 grow"><span className="trunc sm semi block">{label}</span><span className="trunc xs dim block">{sub}</span><span className="vh">. {t('switcher.switch')}</span></span>
          <IconSelector size={16} color="var(--ink-3)" aria-hidden />
        </button>
      </Popover.Target>
      <Popover.Dropdown p={8} aria-label={t('switcher.switch')} className="sw-drop">
        <TextInput data-autofocus aria-label={t('switcher.findOrg')} placeholder={t('switcher.find', { count: many })} leftSection={<IconSearch size={15} aria-hidden />} value={q} onChange={(e) => { setQ(e.currentTarget.value); setOn(0); }}
          role="combobox" aria-expanded aria-autocomplete="list" aria-controls="sw-list" aria-activedescendant={rows.length ? `sw-${on}` : undefined} onKeyDown={keyed} />
        <div id="sw-list" className="sw-list" role="listbox" aria-label={t('switcher.switch')} tabIndex={-1}>
          {rows[0] === 'all' && <Go id="sw-0" role="option" aria-selected={on === 0} data-on={on === 0} tabIndex={-1} to="/" className="sw-item" onClick={() => setOpen(false)} onMouseMove={() => setOn(0)}>{Building}<span className="sm semi grow">{t('switcher.all')}</span><span className="xs dim">{t('shell.provider')}</span>{!slug && <IconCheck size={15} aria-label={t('switcher.current')} />}</Go>}
          {shown.map((g) => (
            <div key={g.key} role="group" aria-label={g.key === 'all' ? t('switcher.allN', { count: total }) : t(`switcher.${g.key}`)}>
              <div className="sw-h" aria-hidden>{g.key === 'all' ? t('switcher.allN', { count: total }) : t(`switcher.${g.key}`)}</div>
              {g.places.map((p) => {
                const i = indexOf(p);
                const isPinned = pinned.includes(p.slug);
                const row = (
                  <>
                    <Av slug={p.slug} name={p.name} small /><span className="trunc sm grow">{p.name}</span>{isPinned && <span className="vh">, {t('switcher.pinnedWord')}</span>}
                    {p.blocked !== null && <span className="vh">{t('switcher.cannotEnter', { why: p.blocked })}</span>}
                    {(p.client?.critical ?? 0) > 0 && <span className="xs num crit">{t('switcher.critical', { count: p.client!.critical })}</span>}
                    {p.client && <><span className="xs num dim2 sw-score">{p.client.score === null ? '–' : fmt.num(p.client.score)}</span><Dot color={band(p.client.score)} /><Tier t={p.client.tier} /></>}
                    {p.slug === slug && <IconCheck size={15} aria-label={t('switcher.current')} />}
                  </>
                );
                const shared = { id: `sw-${i}`, role: 'option', 'aria-selected': on === i, 'data-on': on === i, tabIndex: -1, className: p.blocked === null ? 'sw-item' : 'sw-item off', onMouseMove: () => setOn(i) } as const;
                return <div key={p.slug} className="sw-row" role="presentation">{p.blocked === null ? <Go {...shared} to={to(p)} onClick={() => setOpen(false)}>{row}</Go> : <span {...shared} aria-disabled title={p.blocked}>{row}</span>}<button type="button" aria-hidden tabIndex={-1} className={isPinned ? 'sw-pin on' : 'sw-pin'} title={t('switcher.togglePin')} onClick={() => pin(p)}>{isPinned ? <IconPinnedFilled size={13} /> : <IconPin size={13} />}</button></div>;
              })}
            </div>
          ))}
          {rows.length === 0 && <p className="sm dim pad flush">{t('switcher.none', { q })}</p>}
        </div>
        <div className="sw-foot xs dim"><span><span className="kbd">{t('switcher.enter')}</span> {t('switcher.open')}</span><span><span className="kbd">{t('switcher.ctrlClick')}</span> {t('switcher.newTab')}</span><span><span className="kbd">{t('switcher.altP')}</span> {t('switcher.pin')}</span></div>
      </Popover.Dropdown>
    </Popover>
  );
}
