import { Button, Modal, PasswordInput, Select, Tabs, TextInput } from '@mantine/core';
import { IconCheck, IconCopy, IconDownload } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, ApiProblem, isProblem, keys, path, useMe, useMeUpdate, type List, type Locale, type RecoveryCodes, type Scheme, type Session, type TotpBegin } from '../../api';
import { Badge, CopyField, DataTable, Empty, FormProblem, oneOf, PageHead, Panel, RelativeTime, Strength, toast, toastProblem, useAddress, useApiForm, useChecks, useConfirm } from '../../ui';
import { Notifications } from './Notifications';

export default function Account() {
  const { t } = useTranslation();
  const me = useMe();
  const [{ tab }, set] = useAddress({ tab: oneOf(['notifications']) });
  return (
    <>
      <PageHead title={t('account.title')} sub={t('account.sub', { email: me.person.email })} />
      <Tabs value={tab ?? 'account'} onChange={(v) => set({ tab: v === 'account' ? undefined : v, channel: undefined })} keepMounted={false}>
        <Tabs.List mb={16}><Tabs.Tab value="account">{t('notify.accountTab')}</Tabs.Tab><Tabs.Tab value="notifications">{t('notify.tab')}</Tabs.Tab></Tabs.List>
        <Tabs.Panel value="account"><div className="split gap-b"><Profile key={me.person.version} /><Password /></div><div className="gap-b"><SecondFactor /></div><Sessions /></Tabs.Panel>
        <Tabs.Panel value="notifications"><Notifications /></Tabs.Panel>
      </Tabs>
    </>
  );
}
function Profile() {
  const { t } = useTranslation();
  const { person } = useMe();
  const check = useChecks();
  const update = useMeUpdate();
  const f = useApiForm({
    initial: { name: person.name, locale: person.locale as string, scheme: person.preferences.scheme as string }, validate: { name: check.filled },
    save: async (v) => { await update.mutateAsync({ name: v.name.trim(), locale: v.locale as Locale, preferences: { ...person.preferences, scheme: v.scheme as Scheme } }); toast(t('account.saved')); },
  });
  const g = f.form.getInputProps;
  return (
    <Panel title={t('account.profile')} pad>
      <form onSubmit={f.submit} noValidate className="fields">
        <FormProblem problem={f.problem} />
        <TextInput label={t('account.name')} required autoComplete="name" {...g('name')} />
        <TextInput label={t('account.email')} value={person.email} readOnly />
        <div className="pair"><Select label={t('account.language')} data={[{ value: 'en', label: 'English' }, { value: 'de', label: 'Deutsch' }]} {...g('locale')} /><Select label={t('account.colours')} data={[{ value: 'auto', label: t('shell.schemeAuto') }, { value: 'light', label: t('shell.schemeLight') }, { value: 'dark', label: t('shell.schemeDark') }]} {...g('scheme')} /></div>
        <div><Button type="submit" loading={f.pending}>{t('ui.save')}</Button></div>
      </form>
    </Panel>
  );
}
export function Password() {
  const { t } = useTranslation();
  const { person } = useMe();
  const check = useChecks();
  const client = useQueryClient();
  const f = useApiForm({
    initial: { current: '', new: '', repeat: '' },
    validate: { current: check.filled, new: check.password, repeat: (v, all) => (v === all.new ? null : t('form.mismatch')) },
    save: async (v) => { await api.put('/me/password', { current: v.current, new: v.new }); f.reset(); void client.invalidateQueries({ queryKey: ['sessions'] }); void client.invalidateQueries({ queryKey: keys.me }); toast(t('account.changed')); },
  });
  const g = f.form.getInputProps;
  return (
    <Panel title={t('account.password')} pad>
      <form onSubmit={f.submit} noValidate className="fields">
        <FormProblem problem={f.problem} />
        <input type="hidden" name="username" autoComplete="username" value={person.email} readOnly />
        <PasswordInput label={t('account.current')} required autoComplete="current-password" {...g('current')} />
        <PasswordInput label={t('account.new')} required autoComplete="new-password" {...g('new')} />
        <Strength password={f.form.values.new} />
        <PasswordInput label={t('account.repeat')} required autoComplete="new-password" {...g('repeat')} />
        <p className="xs dim flush">{t('account.changeNote')}</p>
        <div><Button type="submit" loading={f.pending}>{t('account.change')}</Button></div>
      </form>
    </Panel>
  );
}

type FactorStep = 'enrol' | 'renew' | 'remove';
function SecondFactor() {
  const { t } = useTranslation();
  const { person } = useMe();
  const [step, setStep] = useState<FactorStep | null>(null);
  const [turn, setTurn] = useState(0);
  const open = (s: FactorStep) => { setTurn((n) => n + 1); setStep(s); };
  return (
    <Panel title={t('account.factor')} pad actions={person.second_factor
      ? <><Button variant="default" size="compact-md" onClick={() => open('renew')}>{t('account.newCodes')}</Button><Button variant="subtle" color="red" size="compact-md" onClick={() => open('remove')}>{t('account.remove')}</Button></>
      : <Button size="compact-md" onClick={() => open('enrol')}>{t('account.factorSetUp')}</Button>}>
      <p className="flush dim2"><Badge tone={person.second_factor ? 'good' : 'near'}>{t(person.second_factor ? 'account.factorOn' : 'account.factorOff')}</Badge> {t(person.second_factor ? 'account.factorText' : 'account.factorOffText')} {person.second_factor && t('account.codesLeft', { count: person.recovery_codes_left })}</p>
      <Enrol key={`e${turn}`} opened={step === 'enrol'} onClose={() => setStep(null)} />
      <Renew key={`r${turn}`} opened={step === 'renew'} onClose={() => setStep(null)} />
      <Remove key={`d${turn}`} opened={step === 'remove'} onClose={() => setStep(null)} />
    </Panel>
  );
}
/** A wrong password comes back as bad_credentials; it belongs to its field. */
const atField = (field: string, message: string) => (e: unknown): never => { if (isProblem(e, 'bad_credentials')) throw new ApiProblem({ status: 422, code: 'invalid', errors: [{ field, code: 'wrong', message }] }); throw e; };
function FactorModal({ opened, onClose, title, locked, children }: { opened: boolean; onClose: () => void; title: string; locked?: boolean; children: React.ReactNode }) {
  const { t } = useTranslation();
  return <Modal opened={opened} onClose={onClose} title={title} size={460} closeOnClickOutside={!locked} closeOnEscape={!locked} withCloseButton={!locked} closeButtonProps={{ 'aria-label': t('ui.close') }} transitionProps={{ duration: 100 }}>{children}</Modal>;
}
export function Enrol({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const check = useChecks();
  const client = useQueryClient();
  const [begun, setBegun] = useState<TotpBegin | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const first = useApiForm({ initial: { password: '' }, validate: { password: check.filled }, save: async (v) => setBegun(await api.post<TotpBegin>('/me/totp', v).catch(atField('password', t('account.wrongPassword')))) });
  const second = useApiForm({ initial: { code: '' }, validate: { code: (v) => (/^\d{6}$/.test(v.trim()) ? null : t('account.code')) }, save: async (v) => { setCodes((await api.post<RecoveryCodes>('/me/totp/confirm', { code: v.code.trim() }).catch(atField('code', t('account.badCode')))).recovery_codes); toast(t('account.factorSet')); } });
  const done = () => { onClose(); void client.invalidateQueries({ queryKey: keys.me }); };
  return (
    <FactorModal opened={opened} onClose={codes ? done : onClose} locked={codes !== null} title={t(codes ? 'account.step3' : begun ? 'account.step2' : 'account.step1')}>
      {codes ? <Codes codes={codes} onKept={done} /> : begun ? (
        <form onSubmit={second.submit} noValidate className="fields">
          <p className="flush dim2">{t('account.scanText')}</p>
          <img className="qr" alt={t('account.qr')} src={`data:image/svg+xml;base64,${btoa(begun.qr_svg)}`} width={196} height={196} />
          <CopyField label={t('account.key')} value={begun.secret} />
          <FormProblem problem={second.problem} />
          <TextInput data-autofocus label={t('account.codeField')} required inputMode="numeric" autoComplete="one-time-code" maxLength={6} classNames={{ input: 'mono' }} {...second.form.getInputProps('code')} />
          <div className="drawer-foot"><span className="grow" /><Button variant="default" onClick={onClose}>{t('ui.cancel')}</Button><Button type="submit" loading={second.pending}>{t('account.confirm')}</Button></div>
        </form>
      ) : <PasswordForm form={first} onClose={onClose} text={t('account.factorText')} label={t('account.continue')} />}
    </FactorModal>
  );
}
function Renew({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const check = useChecks();
  const client = useQueryClient();
  const [codes, setCodes] = useState<string[] | null>(null);
  const f = useApiForm({ initial: { password: '' }, validate: { password: check.filled }, save: async (v) => setCodes((await api.post<RecoveryCodes>('/me/totp/recovery-codes', v).catch(atField('password', t('account.wrongPassword')))).recovery_codes) });
  const done = () => { onClose(); void client.invalidateQueries({ queryKey: keys.me }); };
  return <FactorModal opened={opened} onClose={codes ? done : onClose} locked={codes !== null} title={t(codes ? 'account.step3' : 'account.renewTitle')}>{codes ? <Codes codes={codes} onKept={done} /> : <PasswordForm form={f} onClose={onClose} text={t('account.renewText')} label={t('account.newCodes')} />}</FactorModal>;
}
function Remove({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const check = useChecks();
  const client = useQueryClient();
  const f = useApiForm({
    initial: { password: '', code: '' }, validate: { password: check.filled, code: check.filled },
    save: async (v) => { await api.del('/me/totp', { password: v.password, code: v.code.trim() }).catch(atField('password', t('account.wrongPassword'))); onClose(); toast(t('account.removed')); void client.invalidateQueries({ queryKey: keys.me }); },
  });
  return <FactorModal opened={opened} onClose={onClose} title={t('account.removeTitle')}><PasswordForm form={f} onClose={onClose} text={t('account.removeText')} label={t('account.remove')} danger code /></FactorModal>;
}
function PasswordForm({ form: f, onClose, text, label, danger, code }: { form: { form: { getInputProps: (field: never) => object }; submit: (e?: React.FormEvent) => void; pending: boolean; problem: unknown }; onClose: () => void; text: string; label: string; danger?: boolean; code?: boolean }) {
  const { t } = useTranslation();
  return (
    <form onSubmit={f.submit} noValidate className="fields">
      <p className="flush dim2">{text}</p>
      <FormProblem problem={f.problem} />
      <PasswordInput data-autofocus label={t('account.passwordField')} required autoComplete="current-password" {...f.form.getInputProps('password' as never)} />
      {code && <TextInput label={t('account.codeField')} required inputMode="numeric" autoComplete="one-time-code" classNames={{ input: 'mono' }} {...f.form.getInputProps('code' as never)} />}
      <div className="drawer-foot"><span className="grow" /><Button variant="default" onClick={onClose}>{t('ui.cancel')}</Button><Button type="submit" color={danger ? 'red' : undefined} loading={f.pending}>{label}</Button></div>
    </form>
  );
}
function Codes({ codes, onKept }: { codes: string[]; onKept: () => void }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  const all = `${codes.join('\n')}\n`;
  const download = () => {
    const url = URL.createObjectURL(new Blob([all], { type: 'text/plain' }));
    const a = document.createElement('a');
    a.href = url; a.download = 'tenantry-recovery-codes.txt'; a.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };
  return (
    <div className="fields">
      <p className="flush dim2">{t('account.codesText')}</p>
      <ul className="codes mono">{codes.map((c) => <li key={c}>{c}</li>)}</ul>
      <div className="drawer-foot"><Button variant="default" leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />} onClick={() => void navigator.clipboard.writeText(all).then(() => setCopied(true), toastProblem)}>{t(copied ? 'account.codesCopied' : 'account.copyCodes')}</Button><Button variant="default" leftSection={<IconDownload size={16} />} onClick={download}>{t('account.downloadCodes')}</Button><span className="grow" /><Button onClick={onKept}>{t('account.kept')}</Button></div>
    </div>
  );
}

/** "Firefox on Linux" out of a user agent; the whole of it on hover. */
export function device(agent: string): string | null {
  const browser = /Edg\//.test(agent) ? 'Edge' : /OPR\//.test(agent) ? 'Opera' : /Firefox\//.test(agent) ? 'Firefox' : /Chrom(e|ium)\//.test(agent) ? 'Chrome' : /Safari\//.test(agent) ? 'Safari' : /curl\//.test(agent) ? 'curl' : null;
  const system = /Windows/.test(agent) ? 'Windows' : /iPhone|iPad/.test(agent) ? 'iOS' : /Android/.test(agent) ? 'Android' : /Mac OS X/.test(agent) ? 'macOS' : /Linux/.test(agent) ? 'Linux' : null;
  return [browser, system].filter(Boolean).join(', ') || null;
}
function Sessions() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [confirm, ask] = useConfirm();
  const { data, error, refetch } = useQuery({ queryKey: ['sessions'], queryFn: ({ signal }) => api.get<List<Session>>('/me/sessions', { limit: 100 }, signal) });
  const refresh = () => client.invalidateQueries({ queryKey: ['sessions'] });
  const revoke = (s: Session) => void api.del(path`/me/sessions/${s.id}`).then(() => { toast(t('account.revokedToast')); return refresh(); }, toastProblem);
  const others = (data?.total ?? 0) > 1;
  return (
    <section aria-label={t('account.sessions')}>
      <div className="row gap-b8"><h2 className="flush">{t('account.sessions')}</h2><span className="grow" />{others && <Button variant="default" size="compact-md" onClick={() => ask({ title: t('account.othersTitle'), lines: [t('account.othersLine')], label: t('account.revokeOthers'), run: async () => { const { revoked } = await api.post<{ revoked: number }>('/me/sessions/revoke-others'); await refresh(); toast(t('account.revokedN', { count: revoked })); } })}>{t('account.revokeOthers')}</Button>}</div>
      <DataTable<Session> caption={t('account.sessions')} rows={data?.items} error={error} retry={() => void refetch()} rowKey={(s) => s.id} skeletonRows={2} empty={<Empty title={t('account.onlyOne')} />}
        columns={[
          { key: 'device', title: t('account.device'), cell: (s) => <span className="row tight wrap"><span className="semi" title={s.user_agent}>{device(s.user_agent) ?? t('account.unknownDevice')}</span>{s.current && <Badge tone="good">{t('account.thisSession')}</Badge>}{s.second_factor && <Badge>{t('account.withFactor')}</Badge>}</span> },
          { key: 'address', title: t('account.addressCol'), cell: (s) => <span className="mono">{s.address}</span> },
          { key: 'seen', title: t('account.lastSeen'), cell: (s) => <RelativeTime at={s.last_seen_at} /> },
          { key: 'created', title: t('account.signedIn'), cell: (s) => <RelativeTime at={s.created_at} /> },
          { key: 'acts', title: t('ui.actions'), quiet: true, cell: (s) => !s.current && <span className="end"><Button size="compact-sm" variant="default" onClick={() => revoke(s)}>{t('account.revoke')}</Button></span> },
        ]} />
      {confirm}
    </section>
  );
}
