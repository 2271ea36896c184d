import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, noticesQuery, type Notified, type NoticeList } from '../api';
import { ErrorState, Go, RelativeTime, SkLines, toastProblem, UrgencyDot, useAlertWords } from '../ui';
import './notices.css';

/** What was said to this person, newest first. */
export default function Notices({ onGone }: { onGone: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(noticesQuery);
  const read = (ids: string[] | 'all') => {
    const at = new Date().toISOString();
    client.setQueryData(noticesQuery.queryKey, (old: NoticeList | undefined) => old && { unread: ids === 'all' ? 0 : Math.max(0, old.unread - old.items.filter((n) => !n.read_at && ids.includes(n.id)).length), items: old.items.map((n) => (n.read_at || (ids !== 'all' && !ids.includes(n.id)) ? n : { ...n, read_at: at })) });
    void api.post('/me/notifications/read', { ids }).catch(toastProblem).finally(() => void client.invalidateQueries({ queryKey: noticesQuery.queryKey }));
  };
  return (
    <div className="notices">
      <div className="notices-head"><h2 className="flush">{t('shell.bell')}</h2><span className="grow" /><Button size="compact-sm" variant="subtle" disabled={!data?.unread} onClick={() => read('all')}>{t('notices.readAll')}</Button></div>
      {error && !data ? <ErrorState error={error} retry={() => void refetch()} /> : !data ? <div className="pad"><SkLines lines={4} /></div> : data.items.length === 0 ? <p className="pad flush dim sm">{t('notices.empty')}</p> : <ul>{data.items.map((n) => <Row key={n.id} n={n} onOpen={() => { if (!n.read_at) read([n.id]); onGone(); }} />)}</ul>}
      <div className="notices-foot sm"><Go to="/account" search={{ tab: 'notifications' }} className="link" onClick={onGone}>{t('notices.rules')}</Go></div>
    </div>
  );
}
function Row({ n, onOpen }: { n: Notified; onOpen: () => void }) {
  const { t } = useTranslation();
  const words = useAlertWords();
  const [to, search] = (n.link ?? '').split('?') as [string, string?];
  const inside = <><UrgencyDot u={n.urgency} /><span className="min0 grow"><span className={n.read_at ? 'block' : 'block semi'}>{words.title(n)}{!n.read_at && <span className="vh"> ({t('notices.unread')})</span>}</span><span className="xs dim block">{[n.tenant?.name ?? n.provider?.name, words.text(n)].filter(Boolean).join(' · ')}</span></span><span className="xs dim"><RelativeTime at={n.at} /></span></>;
  return <li>{to.startsWith('/') ? <Go to={to} search={Object.fromEntries(new URLSearchParams(search ?? ''))} className="notice" onClick={onOpen}>{inside}</Go> : <button type="button" className="notice" onClick={onOpen}>{inside}</button>}</li>;
}
