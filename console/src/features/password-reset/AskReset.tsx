import { Alert, Button, TextInput } from '@mantine/core';
import { IconMailForward } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api';
import { Door, FormProblem, GoButton, useApiForm, useChecks } from '../../ui';

/** The answer is the same whether or not there is such an account. */
export default function AskReset() {
  const { t } = useTranslation();
  const check = useChecks();
  const [sent, setSent] = useState<string | null>(null);
  const f = useApiForm({ initial: { email: '' }, validate: { email: check.email }, save: async ({ email }) => { await api.post('/password-resets', { email: email.trim() }); setSent(email.trim()); } });
  return (
    <Door title={t('reset.title')}>
      {sent ? <Alert color="brand" role="status" className="alert" icon={<IconMailForward size={18} aria-hidden />}>{t('reset.sent', { email: sent })}</Alert> : (
        <form onSubmit={f.submit} noValidate className="fields">
          <p className="flush dim2">{t('reset.text')}</p>
          <FormProblem problem={f.problem} />
          <TextInput size="md" type="email" label={t('signIn.email')} name="username" autoComplete="username" required autoFocus {...f.form.getInputProps('email')} />
          <Button size="md" type="submit" fullWidth loading={f.pending}>{t('reset.ask')}</Button>
        </form>
      )}
      <GoButton to="/sign-in" variant="subtle" size="compact-sm">{t('reset.back')}</GoButton>
    </Door>
  );
}
