import { Button, TextInput } from '@mantine/core';
import { IconPencil, IconPlus, IconSend, IconTrash, IconWebhook } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, path, type Channel, type Delivery, type List } from '../../api';
import { ActIcon, Badge, CopyField, DataTable, Empty, ErrorState, Fields, fmt, FormDrawer, RelativeTime, SideDrawer, SkLines, text, toast, toastProblem, useAddress, useApiForm, useChecks, useConfirm, type Tone } from '../../ui';

export const channelsKey = ['channels'] as const;
const TONES: Record<Channel['state'], Tone> = { active: 'good', failing: 'near', disabled: 'bad' };

/** A person's own webhooks: what happened is sent there, signed. */
export function Channels({ page, error, retry }: { page: List<Channel> | undefined; error: unknown; retry: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [confirm, ask] = useConfirm();
  const [{ channel }, set] = useAddress({ channel: text });
  const [form, setForm] = useState<'create' | Channel | null>(null);
  const [turn, setTurn] = useState(0);
  const [made, setMade] = useState<Channel | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: channelsKey });
  const open = (what: 'create' | Channel) => { setTurn((n) => n + 1); setForm(what); };
  const test = (c: Channel) => void api.post(path`/me/channels/${c.id}/test`).then(async () => { toast(t('channels.tested', { name: c.name })); await refresh(); void client.invalidateQueries({ queryKey: [...channelsKey, c.id] }); set({ channel: c.id }); }, toastProblem);
  const turnOn = (c: Channel) => void api.patch<Channel>(path`/me/channels/${c.id}`, { state: 'active' }).then(async () => { await refresh(); toast(t('channels.turnedOn', { name: c.name })); }, toastProblem);
  const drop = (c: Channel) => ask({ title: t('channels.removeTitle', { name: c.name }), danger: true, label: t('ui.remove'), lines: [t('channels.removeLine')], run: async () => { await api.del(path`/me/channels/${c.id}`); await refresh(); toast(t('channels.removed', { name: c.name })); } });
  const add = <Button size="compact-md" variant="default" leftSection={<IconPlus size={15} />} onClick={() => open('create')}>{t('channels.add')}</Button>;
  const opened = page?.items.find((c) => c.id === channel);
  return (
    <section aria-label={t('channels.title')}>
      <div className="row gap-b8"><h2 className="flush">{t('channels.title')}</h2><span className="grow" />{add}</div>
      <DataTable<Channel> caption={t('channels.title')} rows={page?.items} error={error} retry={retry} rowKey={(c) => c.id} skeletonRows={2} onRow={(c) => set({ channel: c.id })} empty={<Empty icon={IconWebhook} title={t('channels.empty')} action={add}>{t('channels.emptyText')}</Empty>}
        columns={[
          { key: 'name', title: t('channels.name'), cell: (c) => <button type="button" className="plain semi" onClick={() => set({ channel: c.id })}>{c.name}</button> },
          { key: 'url', title: t('channels.url'), cell: (c) => <span className="mono clip" title={c.url}>{c.url}</span> },
          { key: 'state', title: t('channels.state'), cell: (c) => <Badge tone={TONES[c.state]}>{t(`channels.states.${c.state}`)}</Badge> },
          { key: 'last', title: t('channels.last'), cell: (c) => (c.last ? <span className="row tight"><DeliveryBadge status={c.last.status} /><span className="dim2"><RelativeTime at={c.last.at} /></span></span> : <span className="dim">{t('ui.never')}</span>) },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (c) => <span className="end">{c.state === 'disabled' && <Button size="compact-sm" variant="default" onClick={() => turnOn(c)}>{t('channels.turnOn')}<span className="vh">: {c.name}</span></Button>}<ActIcon label={`${t('channels.test')}: ${c.name}`} onClick={() => test(c)}><IconSend size={16} stroke={1.7} /></ActIcon><ActIcon label={`${t('ui.edit')}: ${c.name}`} onClick={() => open(c)}><IconPencil size={16} stroke={1.7} /></ActIcon><ActIcon label={`${t('ui.remove')}: ${c.name}`} onClick={() => drop(c)}><IconTrash size={16} stroke={1.7} /></ActIcon></span> },
        ]} />
      {confirm}
      <ChannelForm key={`channel-${turn}`} what={form} onClose={() => setForm(null)} onSaved={async (c) => { await refresh(); if (c.secret) setMade(c); }} />
      <SideDrawer opened={made !== null} onClose={() => setMade(null)} title={made?.name ?? ''}>{made && <Fields><p className="note flush">{t('channels.secretOnce')}</p><CopyField label={t('channels.secret')} value={made.secret ?? ''} description={t('channels.secretHelp')} /><div className="drawer-foot"><span className="grow" /><Button onClick={() => setMade(null)}>{t('ui.done')}</Button></div></Fields>}</SideDrawer>
      <SideDrawer opened={opened !== undefined} onClose={() => set({ channel: undefined })} title={opened ? t('channels.logOf', { name: opened.name }) : ''} size={620}>{opened && <Deliveries of={opened} />}</SideDrawer>
    </section>
  );
}
const DELIVERY: Record<string, Tone> = { delivered: 'good', waiting: 'near', failed: 'bad', withheld: 'plain' };
function DeliveryBadge({ status }: { status: string }) {
  const { t } = useTranslation();
  return <Badge tone={DELIVERY[status] ?? 'plain'}>{t(`channels.deliveryState.${status}` as 'channels.deliveryState.waiting', { defaultValue: status })}</Badge>;
}
function Deliveries({ of: c }: { of: Channel }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const key = [...channelsKey, c.id];
  const to = path`/me/channels/${c.id}/deliveries`;
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get<List<Delivery>>(to, { limit: 50 }, signal), refetchInterval: (q) => (q.state.data?.items.some((d) => d.status === 'waiting') ? 5000 : false) });
  const again = (d: Delivery) => void api.post(`${to}/${encodeURIComponent(d.id)}/retry`).then(async () => { await client.invalidateQueries({ queryKey: key }); toast(t('channels.retried')); }, toastProblem);
  if (error && !data) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!data) return <SkLines />;
  if (data.items.length === 0) return <Empty bare title={t('channels.noDeliveries')}>{t('channels.noDeliveriesText')}</Empty>;
  return (
    <ul className="bulk-rows deliveries">{data.items.map((d) => (
      <li key={d.id}><div className="min0 grow"><div className="row tight wrap"><span className="semi">{d.event}</span><DeliveryBadge status={d.status} />{d.code !== null && <span className="mono dim">HTTP {d.code}</span>}</div><div className="xs dim">{t('channels.tries', { count: d.attempts })} · <RelativeTime at={d.at} />{d.next_at && d.status === 'waiting' && <> · {t('mail.next')} <RelativeTime at={d.next_at} /></>}</div>{d.error && <div className="xs crit-text break">{d.error}</div>}<div className="xs mono dim break">{d.id}</div></div>
        {d.status !== 'delivered' && <Button size="compact-sm" variant="default" onClick={() => again(d)}>{t('mail.retry')}<span className="vh">: {d.event}, {fmt.clock(d.at)}</span></Button>}</li>
    ))}</ul>
  );
}
function ChannelForm({ what, onClose, onSaved }: { what: 'create' | Channel | null; onClose: () => void; onSaved: (c: Channel) => Promise<unknown> }) {
  const { t } = useTranslation();
  const check = useChecks();
  const old = what !== null && what !== 'create' ? what : null;
  const f = useApiForm({
    initial: { name: old?.name ?? '', url: old?.url ?? '' }, validate: { name: check.filled, url: (v) => (/^https?:\/\/\S+$/.test(v.trim()) ? null : t('channels.badUrl')) },
    save: async (v) => {
      const body = { name: v.name.trim(), url: v.url.trim() };
      const saved = await (old ? api.patch<Channel>(path`/me/channels/${old.id}`, body) : api.post<Channel>('/me/channels', { kind: 'webhook', ...body }));
      toast(t('channels.saved', { name: body.name }));
      onClose();
      await onSaved(saved);
    },
  });
  const g = f.form.getInputProps;
  return (
    <FormDrawer opened={what !== null} onClose={onClose} title={old ? old.name : t('channels.add')} sub={t('channels.addText')} form={f} submitLabel={t(old ? 'ui.save' : 'channels.add')}>
      <TextInput label={t('channels.name')} required data-autofocus maxLength={80} {...g('name')} />
      <TextInput type="url" label={t('channels.url')} description={t('channels.urlHelp')} required maxLength={500} spellCheck={false} placeholder="https://example.com/hooks/tenantry" classNames={{ input: 'mono' }} {...g('url')} />
    </FormDrawer>
  );
}
