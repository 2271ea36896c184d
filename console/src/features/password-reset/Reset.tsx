import { Alert, Button, PasswordInput, TextInput } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, isProblem, path, type PasswordReset } from '../../api';
import { Door, ErrorState, fmt, FormProblem, GoButton, SkLines, Strength, useApiForm, useChecks } from '../../ui';

export default function Reset() {
  const { t } = useTranslation();
  const { token } = useParams({ strict: false }) as { token: string };
  const [done, setDone] = useState(false);
  const { data, error, refetch } = useQuery({ queryKey: ['password-reset', token], queryFn: ({ signal }) => api.get<PasswordReset>(path`/password-resets/${token}`, undefined, signal), retry: false, refetchOnWindowFocus: false, enabled: !done });
  if (done) return <Door title={t('reset.doneTitle')}><Alert color="green" role="status" className="alert" icon={<IconCheck size={18} aria-hidden />}>{t('reset.doneText')}</Alert><GoButton to="/sign-in" size="md">{t('signIn.submit')}</GoButton></Door>;
  if (isProblem(error, 'not_found') || isProblem(error, 'conflict')) return <Door title={t('reset.gone')}><p className="flush dim2">{t('reset.goneText')}</p><GoButton to="/reset">{t('reset.again')}</GoButton></Door>;
  if (error) return <Door title={t('reset.newTitle')}><ErrorState error={error} retry={() => void refetch()} /></Door>;
  return <Door title={t('reset.newTitle')}>{data ? <Choose reset={data} token={token} onDone={() => setDone(true)} /> : <SkLines />}</Door>;
}
function Choose({ reset, token, onDone }: { reset: PasswordReset; token: string; onDone: () => void }) {
  const { t } = useTranslation();
  const check = useChecks();
  const f = useApiForm({
    initial: { password: '', repeat: '' }, validate: { password: check.password, repeat: (v, all) => (v === all.password ? null : t('form.mismatch')) },
    save: async ({ password }) => { await api.post(path`/password-resets/${token}`, { password }); onDone(); },
  });
  const g = f.form.getInputProps;
  return (
    <form onSubmit={f.submit} noValidate className="fields">
      <FormProblem problem={f.problem} />
      <TextInput label={t('signIn.email')} value={reset.email_hint} readOnly />
      <PasswordInput size="md" label={t('reset.new')} required autoFocus autoComplete="new-password" {...g('password')} />
      <Strength password={f.form.values.password} />
      <PasswordInput size="md" label={t('reset.repeat')} required autoComplete="new-password" {...g('repeat')} />
      <Button size="md" type="submit" fullWidth loading={f.pending}>{t('reset.save')}</Button>
      <p className="xs dim flush">{t('reset.note', { date: fmt.clock(reset.expires_at) })}</p>
    </form>
  );
}
