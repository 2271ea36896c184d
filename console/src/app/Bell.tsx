import { ActionIcon, Popover } from '@mantine/core';
import { IconBell } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { noticesQuery } from '../api';
import { withWords } from '../i18n';

const Notices = lazy(withWords('hub', () => import('./Notices')));

const EVERY_MS = 60_000;
const AWAY_MS = 5 * EVERY_MS;
const SIGNS = ['pointerdown', 'keydown', 'focus'] as const;
/** Runs once a minute while the tab is seen and somebody is at it: an open tab alone must not keep a session alive. */
export function useWhileThere(run: () => void) {
  useEffect(() => {
    let seen = Date.now();
    const sign = () => { seen = Date.now(); };
    for (const s of SIGNS) window.addEventListener(s, sign, { passive: true });
    const timer = setInterval(() => { if (!document.hidden && Date.now() - seen < AWAY_MS) run(); }, EVERY_MS);
    return () => { clearInterval(timer); for (const s of SIGNS) window.removeEventListener(s, sign); };
  }, [run]);
}

/** How much is unread; what it is comes when it is opened. */
export function Bell() {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const { data, refetch } = useQuery(noticesQuery);
  useWhileThere(refetch);
  const unread = data?.unread ?? 0;
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" width="min(360px, calc(100vw - 16px))" shadow="lg" radius="lg" trapFocus returnFocus portalProps={{ target: '#pop' }} transitionProps={{ duration: 0 }}>
      <Popover.Target><ActionIcon className="bell" size="lg" aria-haspopup="dialog" aria-expanded={open} aria-label={unread ? t('shell.bellUnread', { count: unread }) : t('shell.bell')} onClick={() => setOpen(!open)}><IconBell size={18} stroke={1.7} />{unread > 0 && <i />}</ActionIcon></Popover.Target>
      <Popover.Dropdown p={0} aria-label={t('shell.bell')}>{open && <Suspense><Notices onGone={() => setOpen(false)} /></Suspense>}</Popover.Dropdown>
    </Popover>
  );
}
