import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { api, isProblem, keys, path, type InvitationView, type SessionStep } from '../../api';
import { Door, ErrorState, fmt, FormProblem, GoButton, SkLines, Strength, useApiForm, useChecks } from '../../ui';

export default function Invite() {
  const { t } = useTranslation();
  const { token } = useParams({ strict: false }) as { token: string };
  const { data, error, refetch } = useQuery({ queryKey: ['invitation', token], queryFn: ({ signal }) => api.get<InvitationView>(path`/invitations/${token}`, undefined, signal), retry: false });
  if (isProblem(error, 'not_found') || isProblem(error, 'conflict')) return <Door title={t('invite.gone')} invitation={token}><p className="flush dim2">{t('invite.goneText')}</p><GoButton to="/" variant="default">{t('setup.toSignIn')}</GoButton></Door>;
  if (error) return <Door title={t('invite.plain')} invitation={token}><ErrorState error={error} retry={() => void refetch()} /></Door>;
  if (!data) return <Door title={t('invite.plain')} invitation={token}><SkLines /></Door>;
  return <Door title={t('invite.title', { organisation: data.organisation })} invitation={token} note><Accept invitation={data} token={token} /></Door>;
}
function Accept({ invitation: i, token }: { invitation: InvitationView; token: string }) {
  const { t } = useTranslation();
  const check = useChecks();
  const client = useQueryClient();
  const navigate = useNavigate();
  const f = useApiForm({
    initial: { name: '', password: '' },
    validate: i.has_account ? { password: check.filled } : { name: check.filled, password: check.password },
    save: async (v) => {
      const answer = await api.post<SessionStep>(path`/invitations/${token}/accept`, i.has_account ? { password: v.password } : { name: v.name.trim(), password: v.password });
      if (answer.me) client.setQueryData(keys.me, answer.me); else client.removeQueries({ queryKey: keys.me });
      await navigate(answer.state === 'second_factor' ? { to: '/sign-in', search: { step: 'code' } as never } : { to: '/' });
    },
  });
  return (
    <form onSubmit={f.submit} noValidate className="fields">
      <p className="flush dim2">{t('invite.text', { by: i.invited_by, role: t(`role.${i.role}`) })} {i.has_account && t('invite.existing')}</p>
      <FormProblem problem={f.problem} />
      <TextInput label={t('invite.email')} value={i.email} readOnly autoComplete="username" name="username" />
      {!i.has_account && <TextInput label={t('invite.name')} required autoFocus autoComplete="name" {...f.form.getInputProps('name')} />}
      <PasswordInput label={t(i.has_account ? 'invite.passwordExisting' : 'invite.password')} required autoFocus={i.has_account} autoComplete={i.has_account ? 'current-password' : 'new-password'} {...f.form.getInputProps('password')} />
      {!i.has_account && <Strength password={f.form.values.password} />}
      <Button type="submit" size="md" loading={f.pending}>{t('invite.accept')}</Button>
      <p className="xs dim flush">{t('invite.expires', { date: fmt.date(i.expires_at) })}</p>
    </form>
  );
}
