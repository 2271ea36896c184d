import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useTenant, type LedgerEntry, type List } from '../../api';
import { Chip, Gate, ledgerFilters, ledgerList, ledgerQuery, LedgerView, oneOf, PageHead, useList } from '../../ui';

const filters = { ...ledgerFilters, by: oneOf(['staff']) };

export default function TenantLedger() {
  const { t } = useTranslation();
  const { can } = useTenant();
  const all = permission(can, 'ledger.list').allowed;
  return <Gate title={t('ledger.title')} action={all ? 'ledger.list' : 'ledger.list_own'}><Page all={all} /></Gate>;
}
function Page({ all }: { all: boolean }) {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  const list = useList({ ...ledgerList, filters });
  const query = { ...ledgerQuery(list), by: undefined, staff: all && list.view.by === 'staff' ? true : undefined };
  const { data, error, refetch, isPlaceholderData } = useQuery({
    queryKey: keys.tenant(slug, 'ledger', all, query), placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get<List<LedgerEntry>>(all ? path`/tenants/${slug}/ledger` : path`/tenants/${slug}/ledger/mine`, query, signal),
  });
  const why = permission(can, 'ledger.list');
  return (
    <>
      <PageHead title={t('ledger.title')} sub={t(all ? 'tenantLedger.sub' : 'tenantLedger.subOwn', { name: tenant.name })} />
      {!all && <p className="note">{t('tenantLedger.ownOnly')} {why.needs && t('ui.needs', { needs: why.needs })}</p>}
      <LedgerView list={list as never} page={data} error={error} retry={() => void refetch()} stale={isPlaceholderData}
        tenantFilter={all && <Chip on={list.view.by === 'staff'} onClick={() => list.set({ by: list.view.by ? undefined : 'staff' })}>{t('tenantLedger.staffOnly')}</Chip>} />
    </>
  );
}
