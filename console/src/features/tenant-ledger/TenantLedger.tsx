import { Tabs } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useTenant, type LedgerEntry, type List } from '../../api';
import { Checkpoints, Chip, Gate, LedgerActs, ledgerFilters, LedgerKeys, ledgerList, ledgerQuery, LedgerView, oneOf, PageHead, useAddress, useList } from '../../ui';

const filters = { ...ledgerFilters, by: oneOf(['staff']) };

export default function TenantLedger() {
  const { t } = useTranslation();
  const { can } = useTenant();
  const all = permission(can, 'ledger.list').allowed;
  return <Gate title={t('ledger.title')} action={all ? 'ledger.list' : 'ledger.list_own'}><Page all={all} /></Gate>;
}
const TABS = ['checkpoints', 'keys'] as const;
function Page({ all }: { all: boolean }) {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  const [{ tab }, set] = useAddress({ tab: oneOf(TABS) });
  const to = path`/tenants/${slug}/ledger`;
  const shown = TABS.filter((x) => x === 'keys' || permission(can, 'ledger.checkpoints').allowed);
  return (
    <>
      <PageHead title={t('ledger.title')} sub={t(all ? 'tenantLedger.sub' : 'tenantLedger.subOwn', { name: tenant.name })}><LedgerActs to={to} mayExport={permission(can, 'ledger.export')} mayVerify={permission(can, 'ledger.verify')} /></PageHead>
      <Tabs value={tab && shown.includes(tab) ? tab : 'entries'} onChange={(v) => set({ tab: v === 'entries' ? undefined : v, q: undefined, cursor: undefined, sort: undefined })} keepMounted={false}>
        <Tabs.List mb={16}><Tabs.Tab value="entries">{t('proofs.entries')}</Tabs.Tab>{shown.map((x) => <Tabs.Tab key={x} value={x}>{t(`proofs.${x}`)}</Tabs.Tab>)}</Tabs.List>
        <Tabs.Panel value="entries"><Entries all={all} /></Tabs.Panel>
        <Tabs.Panel value="checkpoints"><Checkpoints to={to} queryKey={keys.tenant(slug, 'ledger')} /></Tabs.Panel>
        <Tabs.Panel value="keys"><LedgerKeys /></Tabs.Panel>
      </Tabs>
    </>
  );
}
function Entries({ all }: { all: boolean }) {
  const { t } = useTranslation();
  const { slug, can } = useTenant();
  const list = useList({ ...ledgerList, filters });
  const query = { ...ledgerQuery(list), by: undefined, staff: all && list.view.by === 'staff' ? true : undefined };
  const { data, error, refetch, isPlaceholderData } = useQuery({
    queryKey: keys.tenant(slug, 'ledger', all, query), placeholderData: keepPreviousData,
    queryFn: ({ signal }) => api.get<List<LedgerEntry>>(all ? path`/tenants/${slug}/ledger` : path`/tenants/${slug}/ledger/mine`, query, signal),
  });
  const why = permission(can, 'ledger.list');
  return (
    <>
      {!all && <p className="note">{t('tenantLedger.ownOnly')} {why.needs && t('ui.needs', { needs: why.needs })}</p>}
      <LedgerView list={list as never} page={data} error={error} retry={() => void refetch()} stale={isPlaceholderData}
        tenantFilter={all && <Chip on={list.view.by === 'staff'} onClick={() => list.set({ by: list.view.by ? undefined : 'staff' })}>{t('tenantLedger.staffOnly')}</Chip>} />
    </>
  );
}
