import { TextInput } from '@mantine/core';
import { IconMailOff, IconRefresh, IconSend } from '@tabler/icons-react';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, MAIL_STATES, path, permission, useMe, useProvider, type Mail, type MailList, type MailState } from '../../api';
import { Act, ActIcon, Badge, Chips, DataTable, Empty, fmt, FormDrawer, oneOf, PageHead, Pager, Panel, RelativeTime, SearchBox, SideDrawer, Sk, text, toast, toastProblem, useAddress, useApiForm, useChecks, useList, type Tone } from '../../ui';

const TONES: Record<MailState, Tone> = { waiting: 'near', sent: 'good', failed: 'bad', withheld: 'plain' };

export default function Connections() {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const list = useList({ sort: '-created', sorts: ['created'], filters: { state: oneOf(MAIL_STATES), template: text } });
  const [{ mail }, set] = useAddress({ mail: text });
  const [testing, setTesting] = useState(false);
  const [turn, setTurn] = useState(0);
  const key = keys.provider(provider.slug, 'mail');
  const to = path`/providers/${provider.slug}/mail`;
  const { sort: _sort, ...query } = list.query;
  const { data, error, refetch, isPlaceholderData } = useQuery({ queryKey: [...key, query], placeholderData: keepPreviousData, queryFn: ({ signal }) => api.get<MailList>(to, query, signal), refetchInterval: (q) => (q.state.data?.items.some((m) => m.state === 'waiting') ? 10_000 : false) });
  const refresh = () => client.invalidateQueries({ queryKey: key });
  const retry = (m: Mail) => void api.post<Mail>(path`/providers/${provider.slug}/mail/${m.id}/retry`).then(async () => { await refresh(); toast(t('mail.retried', { to: m.to })); }, toastProblem);
  const smtp = data?.smtp;
  const opened = data?.items.find((m) => m.id === mail);
  const again = (m: Mail) => (m.state === 'sent' ? t('mail.isSent') : !smtp?.configured && t('mail.notConfigured'));
  const test = <Act leftSection={<IconSend size={16} />} can={permission(provider.can, 'mail.test')} reason={smtp && !smtp.configured && t('mail.notConfigured')} onClick={() => { setTurn((n) => n + 1); setTesting(true); }}>{t('mail.test')}</Act>;
  return (
    <>
      <PageHead title={t('mail.title')} sub={smtp && (smtp.configured ? t('mail.subOn', { host: smtp.host ?? '–' }) : t('mail.subOff'))}>{test}</PageHead>
      <div className="gap-b"><Panel title={t('mail.smtp')} pad>
        {!smtp && !error ? <Sk w={280} /> : smtp && <dl className="facts wide"><div><dt>{t('mail.state')}</dt><dd><Badge tone={smtp.configured ? 'good' : 'near'}>{t(smtp.configured ? 'mail.on' : 'mail.off')}</Badge></dd></div>{smtp.configured && <><div><dt>{t('mail.host')}</dt><dd className="mono">{smtp.host ?? '–'}</dd></div><div><dt>{t('mail.from')}</dt><dd>{smtp.from ?? '–'}</dd></div></>}</dl>}
        {smtp && !smtp.configured && <p className="dim2 sm">{t('mail.offText')}</p>}
      </Panel></div>
      <h2>{t('mail.log')}</h2>
      <div className="tools">
        <SearchBox label={t('mail.search')} value={list.view.q} onChange={(q) => list.set({ q })} />
        <Chips label={t('mail.state')} value={list.view.state} onChange={(state) => list.set({ state })} options={[{ value: undefined, label: t('ui.all') }, ...MAIL_STATES.map((s) => ({ value: s, label: t(`mail.states.${s}`) }))]} />
      </div>
      <DataTable<Mail> caption={t('mail.log')} rows={data?.items} error={error} retry={() => void refetch()} stale={isPlaceholderData} rowKey={(m) => m.id} onRow={(m) => set({ mail: m.id }, { push: true })}
        empty={list.filtered ? <Empty title={t('ui.nothingMatches')} action={<button type="button" className="chip" onClick={list.clear}>{t('ui.clearFilters')}</button>} /> : <Empty icon={IconMailOff} title={t('mail.empty')}>{t('mail.emptyText')}</Empty>}
        columns={[
          { key: 'subject', title: t('mail.subject'), cell: (m) => <span className="min0 block"><button type="button" className="plain semi finding-title" onClick={() => set({ mail: m.id }, { push: true })}>{m.subject}</button><span className="xs dim block">{t(`mail.template.${m.template}` as 'mail.template.invitation', { defaultValue: m.template })}</span></span> },
          { key: 'to', title: t('mail.to'), cell: (m) => <span className="clip">{m.to}</span> },
          { key: 'client', title: t('alerts.client'), cell: (m) => m.tenant?.name ?? <span className="dim">–</span> },
          { key: 'state', title: t('mail.state'), cell: (m) => <span className="block min0"><Badge tone={TONES[m.state]}>{t(`mail.states.${m.state}`)}</Badge>{m.state === 'waiting' && m.next_at && m.attempts > 0 && <span className="xs dim block">{t('mail.next')} <RelativeTime at={m.next_at} /></span>}{m.error && <span className="xs crit-text sub-line" title={m.error}>{m.error}</span>}</span> },
          { key: 'attempts', title: t('mail.attempts'), num: true, cell: (m) => fmt.num(m.attempts) },
          { key: 'at', title: t('mail.created'), cell: (m) => <RelativeTime at={m.created_at} /> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (m) => <span className="end"><ActIcon label={`${t('mail.retry')}: ${m.subject}, ${m.to}`} can={permission(provider.can, 'mail.retry')} reason={again(m)} onClick={() => retry(m)}><IconRefresh size={16} stroke={1.7} /></ActIcon></span> },
        ]} />
      <Pager list={list} page={data} />
      <SideDrawer opened={opened !== undefined} onClose={() => set({ mail: undefined })} title={opened?.subject ?? ''} size={520}>{opened && (
        <div className="fields">
          <dl className="facts">
            <dt>{t('mail.to')}</dt><dd>{opened.to}</dd><dt>{t('mail.kind')}</dt><dd>{t(`mail.template.${opened.template}` as 'mail.template.invitation', { defaultValue: opened.template })}</dd>
            <dt>{t('mail.state')}</dt><dd><Badge tone={TONES[opened.state]}>{t(`mail.states.${opened.state}`)}</Badge></dd><dt>{t('mail.attempts')}</dt><dd className="num">{fmt.num(opened.attempts)}</dd>
            <dt>{t('mail.created')}</dt><dd>{fmt.exact(opened.created_at)}</dd>{opened.sent_at && <><dt>{t('mail.sentAt')}</dt><dd>{fmt.exact(opened.sent_at)}</dd></>}{opened.next_at && opened.state === 'waiting' && <><dt>{t('mail.next')}</dt><dd><RelativeTime at={opened.next_at} /></dd></>}
            {opened.error && <><dt>{t('mail.error')}</dt><dd className="crit-text break">{opened.error}</dd></>}<dt>{t('tenant.id')}</dt><dd className="mono break">{opened.id}</dd>
          </dl>
          {opened.state === 'withheld' && <p className="note flush">{t('mail.withheldText')}</p>}
          <div><Act can={permission(provider.can, 'mail.retry')} reason={again(opened)} onClick={() => retry(opened)}>{t('mail.retry')}</Act></div>
        </div>
      )}</SideDrawer>
      <Test key={turn} opened={testing} onClose={() => setTesting(false)} to={`${to}/test`} onSent={refresh} />
    </>
  );
}
function Test({ opened, onClose, to, onSent }: { opened: boolean; onClose: () => void; to: string; onSent: () => Promise<unknown> }) {
  const { t } = useTranslation();
  const check = useChecks();
  const me = useMe();
  const f = useApiForm({ initial: { to: me.person.email }, validate: { to: check.email }, save: async (v) => { await api.post<Mail>(to, { to: v.to.trim() }); await onSent(); toast(t('mail.tested', { to: v.to.trim() })); onClose(); } });
  return <FormDrawer opened={opened} onClose={onClose} title={t('mail.test')} sub={t('mail.testText')} form={f} submitLabel={t('mail.send')}><TextInput type="email" label={t('mail.to')} required data-autofocus {...f.form.getInputProps('to')} /></FormDrawer>;
}
