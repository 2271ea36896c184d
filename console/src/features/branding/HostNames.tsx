import { Select, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useProvider, useSwitchable, type HostName, type List } from '../../api';
import { Act, ActIcon, Badge, DataTable, Empty, FormDrawer, Go, RelativeTime, toast, useApiForm, useConfirm } from '../../ui';

/** Where people reach the console with whose brand: addresses that come by themselves, and names of one's own. */
export function HostNames() {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const [confirm, ask] = useConfirm();
  const [adding, setAdding] = useState(false);
  const [turn, setTurn] = useState(0);
  const key = keys.provider(provider.slug, 'host-names');
  const to = path`/providers/${provider.slug}/host-names`;
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get<List<HostName>>(to, { limit: 200 }, signal) });
  const refresh = () => client.invalidateQueries({ queryKey: key });
  const drop = (h: HostName) => ask({ title: t('hosts.removeTitle', { host: h.host }), danger: true, label: t('ui.remove'), lines: [t('hosts.removeLine')], run: async () => { await api.del(`${to}/${encodeURIComponent(h.host)}`); await refresh(); toast(t('hosts.removed')); } });
  const add = <Act size="compact-md" leftSection={<IconPlus size={15} />} can={permission(provider.can, 'host_name.create')} onClick={() => { setTurn((n) => n + 1); setAdding(true); }}>{t('hosts.add')}</Act>;
  return (
    <section aria-label={t('hosts.title')} className="gap-top2">
      <div className="row gap-b8"><h2 className="flush">{t('hosts.title')}</h2><span className="grow" />{add}</div>
      <p className="dim2 sm">{t('hosts.text')}</p>
      <DataTable<HostName> caption={t('hosts.title')} rows={data?.items} error={error} retry={() => void refetch()} rowKey={(h) => h.host} skeletonRows={3} empty={<Empty title={t('hosts.empty')} action={add}>{t('hosts.emptyText')}</Empty>}
        columns={[
          { key: 'host', title: t('hosts.host'), cell: (h) => <span className="mono break">{h.host}</span> },
          { key: 'of', title: t('hosts.of'), cell: (h) => (h.tenant ? <Go to={`/tenants/${h.tenant.slug}`}>{h.tenant.name}</Go> : provider.name) },
          { key: 'kind', title: t('hosts.kind'), cell: (h) => <Badge tone={h.kind === 'custom' ? 'good' : 'plain'}>{t(`hosts.kinds.${h.kind}`)}</Badge> },
          { key: 'at', title: t('tenants.created'), cell: (h) => <RelativeTime at={h.created_at} /> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (h) => <span className="end"><ActIcon label={`${t('ui.remove')}: ${h.host}`} can={permission(provider.can, 'host_name.delete')} reason={h.kind === 'address' && t('hosts.isAddress')} onClick={() => drop(h)}><IconTrash size={16} stroke={1.7} /></ActIcon></span> },
        ]} />
      {confirm}
      <AddHost key={`host-${turn}`} opened={adding} onClose={() => setAdding(false)} to={to} onSaved={refresh} />
    </section>
  );
}
const HOST = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
function AddHost({ opened, onClose, to, onSaved }: { opened: boolean; onClose: () => void; to: string; onSaved: () => Promise<unknown> }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const [find, setFind] = useState('');
  const clients = useSwitchable(provider.slug, find);
  const f = useApiForm({
    initial: { host: '', tenant: '' }, validate: { host: (v) => (HOST.test(v.trim().toLowerCase()) ? null : t('hosts.bad')) },
    save: async (v) => { await api.post(to, { host: v.host.trim().toLowerCase(), ...(v.tenant ? { tenant: v.tenant } : {}) }); await onSaved(); toast(t('hosts.added', { host: v.host.trim().toLowerCase() })); onClose(); },
  });
  const g = f.form.getInputProps;
  return (
    <FormDrawer opened={opened} onClose={onClose} title={t('hosts.add')} sub={t('hosts.addSub')} form={f} submitLabel={t('hosts.add')}>
      <TextInput label={t('hosts.host')} required data-autofocus spellCheck={false} autoComplete="off" placeholder="portal.example.com" classNames={{ input: 'mono' }} {...g('host')} />
      <Select label={t('hosts.of')} description={t('hosts.ofHelp')} placeholder={provider.name} searchable clearable allowDeselect searchValue={find} onSearchChange={setFind} data={clients.items.map((c) => ({ value: c.slug, label: c.name }))} {...g('tenant')} onChange={(v) => f.form.setFieldValue('tenant', v ?? '')} />
    </FormDrawer>
  );
}
