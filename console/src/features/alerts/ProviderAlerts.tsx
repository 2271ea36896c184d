import { Select } from '@mantine/core';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useProvider, useSwitchable, type AlertList } from '../../api';
import { PageHead, useList } from '../../ui';
import { alertList, alertQuery, Inbox, useAlertSentence } from './Inbox';

export default function ProviderAlerts() {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const list = useList(alertList);
  const query = alertQuery(list);
  const key = keys.provider(provider.slug, 'alerts');
  const sentence = useAlertSentence();
  const [find, setFind] = useState('');
  const clients = useSwitchable(provider.slug, find);
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: [...key, query], placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<AlertList>(path`/providers/${provider.slug}/alerts`, query, signal) });
  return (
    <>
      <PageHead title={t('alerts.title')} sub={sentence(data)} />
      <Inbox list={list} data={data} error={error} retry={() => void refetch()} stale={isPlaceholderData} refresh={() => client.invalidateQueries({ queryKey: key })} byClient
        of={(a) => (a.tenant && a.of === 'tenant' ? path`/tenants/${a.tenant.slug}/alerts/${a.id}` : path`/providers/${provider.slug}/alerts/${a.id}`)}
        filter={<Select aria-label={t('ledger.tenant')} placeholder={t('ledger.anyTenant')} w={210} searchable clearable allowDeselect searchValue={find} onSearchChange={setFind} value={list.view.tenant ?? null} onChange={(tenant) => list.set({ tenant: tenant ?? undefined })} data={clients.items.map((c) => ({ value: c.slug, label: c.name }))} />} />
    </>
  );
}
