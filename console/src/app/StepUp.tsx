import { Button, Modal, PasswordInput, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import '../i18n/business';
import { api, ApiProblem, isProblem, keys, useMe } from '../api';
import { FormProblem, useApiForm, useChecks } from '../ui';

// Escape belongs to this dialog alone: what lies below it listens on the window and honours this mark.
const own = { 'data-mantine-stop-propagation': 'true' } as const;

/** Asks to prove again that it is you. What asked for it waits meanwhile, and goes on or gives up. `password`: a second factor is not enough. */
export default function StepUp({ password = false, onDone }: { password?: boolean; onDone: (proven: boolean) => void }) {
  const { t } = useTranslation();
  const { person } = useMe();
  const client = useQueryClient();
  const check = useChecks();
  const [recovery, setRecovery] = useState(false);
  const factor = person.second_factor && !password;
  const f = useApiForm({
    initial: { given: '' }, rename: { code: 'given', password: 'given' },
    validate: { given: (v) => (factor && !recovery && !/^\d{6}$/.test(v.trim()) ? t('account.code') : check.filled(v)) },
    save: async ({ given }) => {
      await api.post('/session/step-up', factor ? { code: given.trim() } : { password: given }).catch((e: unknown) => { throw isProblem(e, 'bad_credentials') ? new ApiProblem({ status: 422, code: 'invalid', errors: [{ field: 'given', code: 'wrong', message: t(factor ? 'signIn.badCode' : 'account.wrongPassword') }] }) : e; });
      void client.invalidateQueries({ queryKey: keys.me });
      onDone(true);
    },
  });
  const given = f.form.getInputProps('given');
  const cancel = () => onDone(false);
  return (
    <Modal opened onClose={cancel} attributes={{ header: { role: 'presentation' } }} closeOnEscape={false} zIndex={500} title={t('stepUp.title')} size={420} closeButtonProps={{ 'aria-label': t('ui.close'), ...own }} transitionProps={{ duration: 100 }} onKeyDown={(e) => { if (e.key === 'Escape' && !e.nativeEvent.isComposing) cancel(); }}>
      <form onSubmit={f.submit} noValidate className="fields">
        <p className="flush dim2">{t(factor ? (recovery ? 'signIn.recoveryText' : 'stepUp.code') : password ? 'lacking.reauth' : 'stepUp.password')}</p>
        <FormProblem problem={f.problem} />
        {factor
          ? <TextInput key={String(recovery)} data-autofocus autoFocus label={t(recovery ? 'signIn.recovery' : 'signIn.code')} required inputMode={recovery ? 'text' : 'numeric'} autoComplete="one-time-code" maxLength={recovery ? 40 : 6} classNames={{ input: 'mono' }} {...own} {...given} />
          : <PasswordInput data-autofocus label={t('account.passwordField')} required autoComplete="current-password" {...own} {...given} />}
        <div className="drawer-foot">{factor && <Button variant="subtle" size="compact-sm" {...own} onClick={() => { f.reset(); setRecovery(!recovery); }}>{t(recovery ? 'signIn.useApp' : 'signIn.useRecovery')}</Button>}<span className="grow" /><Button variant="default" {...own} onClick={cancel}>{t('ui.cancel')}</Button><Button type="submit" loading={f.pending} {...own}>{t('stepUp.submit')}</Button></div>
      </form>
    </Modal>
  );
}
