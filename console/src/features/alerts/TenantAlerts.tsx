import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useTenant, type AlertList } from '../../api';
import { Gate, PageHead, useList } from '../../ui';
import { alertList, alertQuery, Inbox, useAlertSentence } from './Inbox';

export default function TenantAlerts() {
  const { t } = useTranslation();
  return <Gate title={t('alerts.title')} action="alert.list"><Page /></Gate>;
}
function Page() {
  const { t } = useTranslation();
  const { slug } = useTenant();
  const client = useQueryClient();
  const list = useList(alertList);
  const { tenant: _tenant, ...query } = alertQuery(list);
  const key = keys.tenant(slug, 'alerts');
  const sentence = useAlertSentence();
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: [...key, query], placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<AlertList>(path`/tenants/${slug}/alerts`, query, signal) });
  return <><PageHead title={t('alerts.title')} sub={sentence(data)} /><Inbox list={list} data={data} error={error} retry={() => void refetch()} stale={isPlaceholderData} refresh={() => client.invalidateQueries({ queryKey: key })} of={(a) => path`/tenants/${slug}/alerts/${a.id}`} /></>;
}
