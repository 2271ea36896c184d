import { Button, Checkbox, Radio, Select } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ALERT_RULES, api, DIGESTS, URGENCIES, type Channel, type Digest, type List, type NotificationRule, type NotificationRules, type Urgency } from '../../api';
import { ErrorState, FormProblem, Panel, SkLines, toast, useAlertWords } from '../../ui';
import { channelsKey, Channels } from './Channels';

const rulesKey = ['notification-rules'] as const;

export function Notifications() {
  const { t } = useTranslation();
  const rules = useQuery({ queryKey: rulesKey, queryFn: ({ signal }) => api.get<NotificationRules>('/me/notification-rules', undefined, signal) });
  const channels = useQuery({ queryKey: channelsKey, queryFn: ({ signal }) => api.get<List<Channel>>('/me/channels', undefined, signal) });
  return (
    <div className="stack">
      <Panel title={t('notify.title')} pad>{rules.error && !rules.data ? <ErrorState error={rules.error} retry={() => void rules.refetch()} /> : !rules.data ? <SkLines lines={6} /> : <Rules key={rules.dataUpdatedAt} rules={rules.data} channels={channels.data?.items ?? []} />}</Panel>
      <Channels page={channels.data} error={channels.error} retry={() => void channels.refetch()} />
    </div>
  );
}
/** One row for each rule there is; a rule the server doesn't mention goes by what we know. */
export const rowsOf = (rules: NotificationRules): NotificationRule[] => [...rules.items, ...ALERT_RULES.filter((r) => !rules.items.some((x) => x.rule === r)).map((rule): NotificationRule => ({ rule, urgency_min: 'info', channels: ['in_app'] }))];

function Rules({ rules, channels }: { rules: NotificationRules; channels: Channel[] }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const words = useAlertWords();
  const [rows, setRows] = useState(() => rowsOf(rules));
  const [digest, setDigest] = useState<Digest>(rules.digest);
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const put = (rule: string, change: Partial<NotificationRule>) => setRows((all) => all.map((r) => (r.rule === rule ? { ...r, ...change } : r)));
  const toggle = (r: NotificationRule, c: string) => put(r.rule, { channels: r.channels.includes(c) ? r.channels.filter((x) => x !== c) : [...r.channels, c] });
  const columns = [{ id: 'in_app', name: t('notify.inApp') }, { id: 'email', name: t('notify.email') }, ...channels.map((c) => ({ id: c.id, name: c.name }))];
  const save = async (e: React.FormEvent) => {
    e.preventDefault();
    if (pending) return;
    setPending(true); setProblem(null);
    try { client.setQueryData(rulesKey, await api.put<NotificationRules>('/me/notification-rules', { items: rows, digest })); toast(t('notify.saved')); } catch (p) { setProblem(p); } finally { setPending(false); }
  };
  return (
    <form className="fields" onSubmit={(e) => void save(e)}>
      <p className="dim2 sm flush">{t('notify.text')}</p>
      <FormProblem problem={problem} />
      <div className="rules" role="group" aria-label={t('notify.title')}>{rows.map((r) => (
        <fieldset key={r.rule} className="rule"><legend className="semi sm">{words.rule(r.rule)}</legend>
          <Select size="xs" w={190} aria-label={t('notify.fromUrgency', { rule: words.rule(r.rule) })} value={r.urgency_min} onChange={(u) => put(r.rule, { urgency_min: (u ?? 'info') as Urgency })} data={URGENCIES.toReversed().map((u) => ({ value: u, label: t(`notify.from.${u}`) }))} />
          <div className="checks">{columns.map((c) => <Checkbox key={c.id} size="sm" label={c.name} aria-label={`${words.rule(r.rule)}: ${c.name}`} checked={r.channels.includes(c.id)} onChange={() => toggle(r, c.id)} />)}</div>
        </fieldset>
      ))}</div>
      <Radio.Group label={t('notify.digest')} description={t('notify.digestText')} value={digest} onChange={(d) => setDigest(d as Digest)}><div className="checks gap-top">{DIGESTS.map((d) => <Radio key={d} value={d} label={t(`notify.digests.${d}`)} />)}</div></Radio.Group>
      <div><Button type="submit" loading={pending}>{t('ui.save')}</Button></div>
    </form>
  );
}
