import { Select } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useProvider, useSwitchable, type LedgerEntry, type List } from '../../api';
import { ledgerFilters, ledgerList, ledgerQuery, LedgerView, PageHead, text, useList } from '../../ui';

export default function ProviderLedger() {
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
    <>
      <PageHead title={t('ledger.title')} sub={t('ledger.sub', { provider: provider.name })} />
      <LedgerView list={list} page={data} error={error} retry={() => void refetch()} stale={isPlaceholderData}
        tenantFilter={<Select aria-label={t('ledger.tenant')} placeholder={t('ledger.anyTenant')} w={210} searchable clearable allowDeselect searchValue={find} onSearchChange={setFind} value={list.view.tenant ?? null} onChange={(tenant) => list.set({ tenant: tenant ?? undefined })} data={clients.items.map((c) => ({ value: c.slug, label: c.name }))} />} />
    </>
  );
}
