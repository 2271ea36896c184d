import { Button } from '@mantine/core';
import { IconCheck, IconDownload, IconShieldCheck, IconX } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, apiUrl, type LedgerCheck, type LedgerCheckpoint, type LedgerKey, type List, type Permission } from '../api';
import { Act } from './act';
import { CopyIcon } from './copy';
import { SideDrawer } from './form';
import { clock, num } from './format';
import { Pager, useList } from './list';
import { Empty, ErrorState, SkLines } from './page';
import { DataTable } from './table';
import { RelativeTime } from './time';

const short = (hash: string) => `${hash.replace(/^b3:/, '').slice(0, 12)}…`;

/** Take it along, and look whether it is whole. `to` is …/ledger. */
export function LedgerActs({ to, mayExport, mayVerify }: { to: string; mayExport: Permission; mayVerify: Permission }) {
  const { t } = useTranslation();
  const [turn, setTurn] = useState(0);
  const [opened, setOpened] = useState(false);
  return (
    <>
      {mayExport.allowed ? <Button component="a" variant="default" download href={apiUrl(`${to}/export`)} leftSection={<IconDownload size={16} />} title={t('proofs.exportHint')}>{t('ui.export')}</Button> : <Act variant="default" can={mayExport} leftSection={<IconDownload size={16} />}>{t('ui.export')}</Act>}
      <Act leftSection={<IconShieldCheck size={16} />} can={mayVerify} onClick={() => { setTurn((n) => n + 1); setOpened(true); }}>{t('proofs.verify')}</Act>
      <SideDrawer opened={opened} onClose={() => setOpened(false)} title={t('proofs.verifyTitle')} size={520}>{opened && <Verified key={turn} to={to} turn={turn} />}</SideDrawer>
    </>
  );
}
function Verified({ to, turn }: { to: string; turn: number }) {
  const { t } = useTranslation();
  const { data: x, error, refetch, isFetching } = useQuery({ queryKey: ['verify', to, turn], staleTime: Infinity, gcTime: 0, retry: false, refetchOnWindowFocus: false, queryFn: ({ signal }) => api.get<LedgerCheck>(`${to}/verify`, undefined, signal) });
  if (isFetching && !x) return <><p className="dim2">{t('proofs.verifying')}</p><SkLines lines={4} /></>;
  if (error || !x) return <ErrorState error={error} retry={() => void refetch()} />;
  return (
    <div className="fields">
      <section className={x.ok ? 'verdict yes' : 'verdict no'} role="status" aria-label={t('proofs.verifyTitle')}>{x.ok ? <IconCheck size={24} aria-hidden /> : <IconX size={24} aria-hidden />}
        <div className="min0"><h2>{x.ok ? t('proofs.ok', { count: x.entries, n: num(x.entries) }) : x.first_bad?.seq ? t('proofs.bad', { n: num(x.first_bad.seq) }) : t('proofs.badOther')}</h2><p className="flush">{x.ok ? t('proofs.okText') : x.first_bad?.reason}</p></div></section>
      <dl className="facts">
        <dt>{t('proofs.checkedAt')}</dt><dd>{clock(x.checked_at)}</dd><dt>{t('proofs.entries')}</dt><dd className="num">{num(x.entries)}</dd><dt>{t('proofs.head')}</dt><dd><span className="num">{num(x.head.seq)}</span> <span className="mono break">{x.head.hash}</span></dd>
        {x.last_checkpoint && <><dt>{t('proofs.lastCheckpoint')}</dt><dd>{clock(x.last_checkpoint.at)} <span className="mono dim break">{x.last_checkpoint.key_id}</span></dd></>}
      </dl>
      <p className="xs dim flush">{t('proofs.offline')}</p>
    </div>
  );
}

const list = { sort: '-seq', sorts: ['seq'], filters: {} } as const;
/** Signed heads: whoever keeps one can tell later whether the ledger was cut back or rewritten. */
export function Checkpoints({ to, queryKey }: { to: string; queryKey: readonly unknown[] }) {
  const { t } = useTranslation();
  const at = useList(list);
  const { sort: _sort, q: _q, ...query } = at.query;
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: [...queryKey, 'checkpoints', query], placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<LedgerCheckpoint>>(`${to}/checkpoints`, query, signal) });
  return (
    <>
      <p className="dim2 sm">{t('proofs.checkpointsText')}</p>
      <DataTable<LedgerCheckpoint> caption={t('proofs.checkpoints')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(c) => `${c.seq}${c.at}`} skeletonRows={4} empty={<Empty title={t('proofs.noCheckpoints')}>{t('proofs.noCheckpointsText')}</Empty>}
        columns={[
          { key: 'seq', title: t('ledger.number'), cell: (c) => <span className="num semi">{num(c.seq)}</span> },
          { key: 'at', title: t('proofs.signedAt'), cell: (c) => <RelativeTime at={c.at} /> },
          { key: 'hash', title: t('ledger.hash'), cell: (c) => <span className="mono" title={c.hash}>{short(c.hash)}</span> },
          { key: 'key', title: t('proofs.key'), cell: (c) => <span className="mono">{c.key_id}</span> },
          { key: 'copy', title: t('ui.actions'), quiet: true, cell: (c) => <span className="end"><CopyIcon value={JSON.stringify(c)} label={t('proofs.copyCheckpoint', { n: num(c.seq) })} /></span> },
        ]} />
      <Pager list={at} page={data} />
    </>
  );
}
/** The installation's public keys, to be kept outside of it. */
export function LedgerKeys() {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({ queryKey: ['ledger-keys'], queryFn: ({ signal }) => api.get<List<LedgerKey>>('/ledger-keys', undefined, signal) });
  return (
    <>
      <p className="dim2 sm">{t('proofs.keysText')}</p>
      <DataTable<LedgerKey> caption={t('proofs.keys')} rows={data?.items} error={error} retry={() => void refetch()} rowKey={(k) => k.key_id} skeletonRows={2} empty={<Empty title={t('proofs.noKeys')} />}
        columns={[
          { key: 'id', title: t('proofs.key'), cell: (k) => <span className="mono semi">{k.key_id}</span> },
          { key: 'public', title: t('proofs.publicKey'), cell: (k) => <span className="row tight"><span className="mono clip" title={k.public_key}>{k.public_key}</span><CopyIcon value={k.public_key} label={t('ui.copyWhat', { what: k.key_id })} /></span> },
          { key: 'by', title: t('proofs.certifiedBy'), cell: (k) => (k.certificate ? <span className="mono">{k.certificate.by}</span> : t('proofs.firstKey')) },
          { key: 'from', title: t('proofs.from'), cell: (k) => (k.certificate ? <RelativeTime at={k.certificate.from} /> : <span className="dim">–</span>) },
        ]} />
    </>
  );
}
