import { Select, Tabs } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, apiUrl, keys, path, permission, useProvider, useSwitchable, type Certificate, type LedgerEntry, type List } from '../../api';
import { Badge, Checkpoints, DataTable, Empty, ledgerFilters, ledgerList, ledgerQuery, LedgerActs, LedgerKeys, LedgerView, oneOf, PageHead, Pager, RelativeTime, SearchBox, text, useAddress, useList } from '../../ui';

const TABS = ['checkpoints', 'keys', 'certificates'] as const;

export default function ProviderLedger() {
  const { t } = useTranslation();
  const provider = useProvider();
  const [{ tab }, set] = useAddress({ tab: oneOf(TABS) });
  const to = path`/providers/${provider.slug}/ledger`;
  const shown = TABS.filter((x) => x === 'keys' || permission(provider.can, x === 'checkpoints' ? 'provider_ledger.checkpoints' : 'certificate.list').allowed);
  return (
    <>
      <PageHead title={t('ledger.title')} sub={t('ledger.sub', { provider: provider.name })}><LedgerActs to={to} mayExport={permission(provider.can, 'provider_ledger.export')} mayVerify={permission(provider.can, 'provider_ledger.verify')} /></PageHead>
      <Tabs value={tab && shown.includes(tab) ? tab : 'entries'} onChange={(v) => set({ tab: v === 'entries' ? undefined : v, q: undefined, cursor: undefined, sort: undefined })} keepMounted={false}>
        <Tabs.List mb={16}><Tabs.Tab value="entries">{t('proofs.entries')}</Tabs.Tab>{shown.map((x) => <Tabs.Tab key={x} value={x}>{t(`proofs.${x}`)}</Tabs.Tab>)}</Tabs.List>
        <Tabs.Panel value="entries"><Entries /></Tabs.Panel>
        <Tabs.Panel value="checkpoints"><Checkpoints to={to} queryKey={keys.provider(provider.slug, 'ledger')} /></Tabs.Panel>
        <Tabs.Panel value="keys"><LedgerKeys /></Tabs.Panel>
        <Tabs.Panel value="certificates"><Certificates /></Tabs.Panel>
      </Tabs>
    </>
  );
}
function Entries() {
  const { t } = useTranslation();
  const provider = useProvider();
  const list = useList({ ...ledgerList, filters: { ...ledgerFilters, tenant: text } });
  const query = ledgerQuery(list);
  const [find, setFind] = useState('');
  const clients = useSwitchable(provider.slug, find);
  const { data, error, refetch, isPlaceholderData } = useQuery({
    queryKey: keys.provider(provider.slug, 'ledger', query), placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get<List<LedgerEntry>>(path`/providers/${provider.slug}/ledger`, query, signal),
  });
  return (
    <LedgerView list={list} page={data} error={error} retry={() => void refetch()} stale={isPlaceholderData}
      tenantFilter={<Select aria-label={t('ledger.tenant')} placeholder={t('ledger.anyTenant')} w={210} searchable clearable allowDeselect searchValue={find} onSearchChange={setFind} value={list.view.tenant ?? null} onChange={(tenant) => list.set({ tenant: tenant ?? undefined })} data={clients.items.map((c) => ({ value: c.slug, label: c.name }))} />} />
  );
}
/** What a purge leaves in the provider's hands. */
function Certificates() {
  const { t } = useTranslation();
  const provider = useProvider();
  const list = useList({ sort: '-purged', sorts: ['purged', 'name'], filters: {} });
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: keys.provider(provider.slug, 'certificates', list.query), placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<List<Certificate>>(path`/providers/${provider.slug}/certificates`, list.query, signal) });
  return (
    <>
      <p className="dim2 sm">{t('proofs.certificatesText')}</p>
      <div className="tools"><SearchBox label={t('tenants.search')} value={list.view.q} onChange={(q) => list.set({ q })} /></div>
      <DataTable<Certificate> caption={t('proofs.certificates')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(c) => c.id} skeletonRows={3} sort={list.view.sort} onSort={list.toggleSort} empty={<Empty title={t(list.filtered ? 'ui.nothingMatches' : 'proofs.noCertificates')}>{!list.filtered && t('proofs.noCertificatesText')}</Empty>}
        columns={[
          { key: 'name', title: t('tenants.name'), sort: 'name', cell: (c) => <span className="min0 block"><span className="semi">{c.name}</span><span className="xs dim mono block">{c.tenant}</span></span> },
          { key: 'by', title: t('proofs.purgedBy'), cell: (c) => c.by },
          { key: 'at', title: t('proofs.purgedAt'), sort: 'purged', cell: (c) => <RelativeTime at={c.purged_at} /> },
          { key: 'done', title: t('proofs.signedAt'), cell: (c) => (c.completed_at ? <RelativeTime at={c.completed_at} /> : <Badge tone="near">{t('proofs.notYet')}</Badge>) },
          { key: 'get', title: t('ui.actions'), quiet: true, cell: (c) => c.completed_at && permission(provider.can, 'certificate.view').allowed && <span className="end"><a className="link row tight" download href={apiUrl(path`/providers/${provider.slug}/certificates/${c.id}`)}><IconDownload size={15} aria-hidden />{t('ui.download')}<span className="vh">: {c.name}</span></a></span> },
        ]} />
      <Pager list={list} page={data} />
    </>
  );
}
