import { Alert, Button, Input, PasswordInput, PinInput, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Navigate, useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, isProblem, keys, type Me, type SessionStep, type SessionVerified, type SetupView } from '../../api';
import { Door, FormProblem, Go, oneOf, text, toast, useAddress } from '../../ui';

/** Only addresses of this console: a link must not lead elsewhere after sign-in. */
export const safeNext = (next: string | undefined) => (next && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : '/');

export default function SignIn() {
  const { t } = useTranslation();
  const [{ step, next }, set] = useAddress({ step: oneOf(['code']), next: text });
  const client = useQueryClient();
  const router = useRouter();
  const setup = useQuery({ queryKey: ['setup'], queryFn: ({ signal }) => api.get<SetupView>('/setup', undefined, signal), staleTime: Infinity });
  const arrive = (me: Me) => { client.setQueryData(keys.me, me); router.history.push(safeNext(next)); };
  if (setup.data?.needed) return <Navigate to="/setup" replace />;
  return step === 'code'
    ? <Door title={t('signIn.codeTitle')}><CodeStep onDone={arrive} onOther={() => { void api.del('/session').catch(() => undefined); set({ step: undefined }); }} /></Door>
    : <Door title={t('signIn.title')} note>{next && <p className="flush dim2 sm">{t('signIn.next')}</p>}<PasswordStep onDone={arrive} onCode={() => set({ step: 'code' })} /></Door>;
}

/** Runs one try at a time and counts down when the server asks to wait. */
function useTry(run: () => Promise<void>) {
  const { t } = useTranslation();
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const [waitSeconds, setWait] = useState(0);
  useEffect(() => {
    if (waitSeconds <= 0) return;
    const timer = setTimeout(() => setWait((s) => s - 1), 1000);
    return () => clearTimeout(timer);
  }, [waitSeconds]);
  const go = async (e?: React.FormEvent) => {
    e?.preventDefault();
    if (pending || waitSeconds > 0) return;
    setPending(true); setProblem(null);
    try { await run(); } catch (p) { if (isProblem(p, 'too_many_requests')) setWait(p.retryAfterSeconds ?? 30); else setProblem(p); } finally { setPending(false); }
  };
  const wait = waitSeconds > 0 && <Alert color="orange" role="status" p="sm" className="alert">{t('signIn.wait', { count: waitSeconds })}</Alert>;
  return { go, pending, problem, wait, blocked: waitSeconds > 0 };
}
const Wrong = ({ children }: { children: string }) => <Alert color="red" role="alert" p="sm" className="alert">{children}</Alert>;

function PasswordStep({ onDone, onCode }: { onDone: (me: Me) => void; onCode: () => void }) {
  const { t } = useTranslation();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const attempt = useTry(async () => {
    const answer = await api.post<SessionStep>('/session', { email: email.trim(), password });
    if (answer.state === 'second_factor' || !answer.me) onCode(); else onDone(answer.me);
  });
  return (
    <form onSubmit={attempt.go} className="fields">
      {attempt.wait}
      {isProblem(attempt.problem, 'bad_credentials') ? <Wrong>{t('signIn.bad')}</Wrong> : <FormProblem problem={attempt.problem} />}
      <TextInput size="md" type="email" label={t('signIn.email')} name="username" autoComplete="username" required autoFocus value={email} onChange={(e) => setEmail(e.currentTarget.value)} />
      <PasswordInput size="md" label={t('signIn.password')} name="password" autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.currentTarget.value)} />
      <Button size="md" type="submit" fullWidth loading={attempt.pending} disabled={attempt.blocked}>{t('signIn.submit')}</Button>
      <p className="xs dim flush"><Go to="/reset" className="link">{t('signIn.forgot')}</Go><br />{t('signIn.help')}</p>
    </form>
  );
}
function CodeStep({ onDone, onOther }: { onDone: (me: Me) => void; onOther: () => void }) {
  const { t } = useTranslation();
  const [recovery, setRecovery] = useState(false);
  const [code, setCode] = useState('');
  const attempt = useTry(async () => {
    try {
      const answer = await api.post<SessionVerified>('/session/verify', { code: code.trim() });
      if (recovery && answer.recovery_codes_left < 4) toast(t('signIn.fewCodes', { count: answer.recovery_codes_left }));
      onDone(answer.me);
    } catch (e) { if (isProblem(e, 'not_signed_in')) onOther(); else { setCode(''); throw e; } }
  });
  const { go } = attempt;
  const full = !recovery && code.length === 6;
  // The sixth digit sends the form: there is nothing left to decide.
  useEffect(() => { if (full) void go(); }, [full]); // oxlint-disable-line react/exhaustive-deps
  const wrong = isProblem(attempt.problem, 'bad_credentials') || isProblem(attempt.problem, 'invalid');
  return (
    <form onSubmit={attempt.go} className="fields">
      <p className="flush dim2">{t(recovery ? 'signIn.recoveryText' : 'signIn.codeText')}</p>
      {attempt.wait}
      {wrong ? <Wrong>{t('signIn.badCode')}</Wrong> : <FormProblem problem={attempt.problem} />}
      {recovery
        ? <TextInput key="recovery" size="md" label={t('signIn.recovery')} autoComplete="off" autoFocus spellCheck={false} classNames={{ input: 'mono' }} placeholder="xxxx-xxxx-xxxx" value={code} onChange={(e) => setCode(e.currentTarget.value)} />
        : <Input.Wrapper label={t('signIn.code')} labelElement="div"><PinInput className="pin" gap={6} length={6} oneTimeCode type="number" size="md" autoFocus aria-label={t('signIn.codeDigit')} getInputProps={(i) => ({ 'aria-label': `${t('signIn.codeDigit')} ${i + 1}` })} value={code} onChange={setCode} disabled={attempt.pending} /></Input.Wrapper>}
      <Button size="md" type="submit" fullWidth loading={attempt.pending} disabled={attempt.blocked || code.length < 6}>{t('signIn.verify')}</Button>
      <div className="row wrap"><Button variant="subtle" size="compact-sm" onClick={() => { setRecovery(!recovery); setCode(''); }}>{t(recovery ? 'signIn.useApp' : 'signIn.useRecovery')}</Button><span className="grow" /><Button variant="subtle" color="gray" size="compact-sm" onClick={onOther}>{t('signIn.other')}</Button></div>
    </form>
  );
}
