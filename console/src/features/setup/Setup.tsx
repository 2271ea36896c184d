import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, isProblem, keys, type Me, type SetupCreate, type SetupView } from '../../api';
import { Door, ErrorState, FormProblem, GoButton, SkLines, slugify, Strength, useApiForm, useChecks } from '../../ui';

export default function Setup() {
  const { t } = useTranslation();
  const setup = useQuery({ queryKey: ['setup'], queryFn: ({ signal }) => api.get<SetupView>('/setup', undefined, signal), staleTime: Infinity });
  return (
    <Door title={t('setup.title')} wide>
      {setup.error ? <ErrorState error={setup.error} retry={() => void setup.refetch()} /> : !setup.data ? <SkLines /> : setup.data.needed ? <Form /> : <><p className="flush dim2">{t('setup.notNeeded')}</p><GoButton to="/sign-in">{t('setup.toSignIn')}</GoButton></>}
    </Door>
  );
}
function Form() {
  const { t } = useTranslation();
  const check = useChecks();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [ownSlug, setOwnSlug] = useState(false);
  const f = useApiForm({
    initial: { code: '', provider_name: '', provider_slug: '', name: '', email: '', password: '' },
    validate: { code: check.filled, provider_name: check.filled, provider_slug: check.slug, name: check.filled, email: check.email, password: check.password },
    save: async (v) => {
      try { client.setQueryData(keys.me, await api.post<Me>('/setup', { ...v, code: v.code.trim(), email: v.email.trim() } satisfies SetupCreate)); } catch (e) { if (isProblem(e, 'not_found')) client.setQueryData(['setup'], { needed: false }); throw e; }
      client.setQueryData(['setup'], { needed: false });
      await navigate({ to: '/' });
    },
  });
  const g = f.form.getInputProps;
  return (
    <form onSubmit={f.submit} noValidate className="fields">
      <p className="flush dim2">{t('setup.text')}</p>
      <FormProblem problem={f.problem} />
      <TextInput label={t('setup.code')} description={t('setup.codeHelp')} required autoFocus autoComplete="off" spellCheck={false} classNames={{ input: 'mono' }} {...g('code')} />
      <fieldset><legend>{t('setup.provider')}</legend>
        <TextInput label={t('setup.providerName')} required autoComplete="organization" {...g('provider_name')} onChange={(e) => { f.form.setFieldValue('provider_name', e.currentTarget.value); if (!ownSlug) f.form.setFieldValue('provider_slug', slugify(e.currentTarget.value)); }} />
        <TextInput label={t('setup.providerSlug')} required description={t('setup.slugHelp')} classNames={{ input: 'mono' }} {...g('provider_slug')} onChange={(e) => { setOwnSlug(e.currentTarget.value !== ''); f.form.setFieldValue('provider_slug', e.currentTarget.value); }} />
      </fieldset>
      <fieldset><legend>{t('setup.admin')}</legend>
        <TextInput label={t('setup.name')} required autoComplete="name" {...g('name')} />
        <TextInput type="email" label={t('setup.email')} required autoComplete="username" {...g('email')} />
        <PasswordInput label={t('setup.password')} required autoComplete="new-password" {...g('password')} />
        <Strength password={f.form.values.password} />
      </fieldset>
      <Button type="submit" size="md" loading={f.pending}>{t('setup.submit')}</Button>
    </form>
  );
}
