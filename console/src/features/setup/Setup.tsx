import { Button, PasswordInput, Radio, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import { api, isProblem, keys, type Me, type SetupCreate, type SetupMode, type SetupView } from '../../api';
import { Door, ErrorState, FormProblem, GoButton, SkLines, slugify, Strength, useApiForm, useChecks } from '../../ui';

export default function Setup() {
  const { t } = useTranslation();
  const setup = useQuery({ queryKey: ['setup'], queryFn: ({ signal }) => api.get<SetupView>('/setup', undefined, signal), staleTime: Infinity });
  return (
    <Door title={t('setup.title')} wide>
      {setup.error ? <ErrorState error={setup.error} retry={() => void setup.refetch()} /> : !setup.data ? <SkLines /> : setup.data.needed ? <Form modes={setup.data.modes ?? ['provider']} /> : <><p className="flush dim2">{t('setup.notNeeded')}</p><GoButton to="/sign-in">{t('setup.toSignIn')}</GoButton></>}
    </Door>
  );
}
function Form({ modes }: { modes: SetupMode[] }) {
  const { t } = useTranslation();
  const check = useChecks();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [ownSlug, setOwnSlug] = useState(false);
  const f = useApiForm({
    initial: { code: '', mode: 'provider' as string, place: '', slug: '', name: '', email: '', password: '' }, rename: { provider_name: 'place', organisation_name: 'place', provider_slug: 'slug', organisation_slug: 'slug' },
    validate: { code: check.filled, place: check.filled, slug: check.slug, name: check.filled, email: check.email, password: check.password },
    save: async ({ place, slug, ...v }) => {
      const standalone = v.mode === 'standalone';
      const body: SetupCreate = { ...v, mode: modes.length > 1 ? (v.mode as SetupMode) : undefined, code: v.code.trim(), email: v.email.trim(), ...(standalone ? { organisation_name: place.trim(), organisation_slug: slug } : { provider_name: place.trim(), provider_slug: slug }) };
      try { client.setQueryData(keys.me, await api.post<Me>('/setup', body)); } catch (e) { if (isProblem(e, 'not_found')) client.setQueryData(['setup'], { needed: false }); throw e; }
      client.setQueryData(['setup'], { needed: false });
      await navigate({ to: '/' });
    },
  });
  const g = f.form.getInputProps;
  const standalone = f.form.values.mode === 'standalone';
  return (
    <form onSubmit={f.submit} noValidate className="fields">
      <p className="flush dim2">{t(modes.length > 1 ? 'setupMode.text' : 'setup.text')}</p>
      <FormProblem problem={f.problem} />
      <TextInput label={t('setup.code')} description={t('setup.codeHelp')} required autoFocus autoComplete="off" spellCheck={false} classNames={{ input: 'mono' }} {...g('code')} />
      {modes.length > 1 && <Radio.Group label={t('setupMode.label')} {...g('mode')}><div className="choices">{modes.map((m) => <Radio key={m} value={m} label={t(`setupMode.${m}`)} description={t(`setupMode.${m}Help`)} />)}</div></Radio.Group>}
      <fieldset><legend>{t(standalone ? 'setupMode.organisation' : 'setup.provider')}</legend>
        <TextInput label={t(standalone ? 'setupMode.organisationName' : 'setup.providerName')} required autoComplete="organization" {...g('place')} onChange={(e) => { f.form.setFieldValue('place', e.currentTarget.value); if (!ownSlug) f.form.setFieldValue('slug', slugify(e.currentTarget.value)); }} />
        <TextInput label={t('setup.providerSlug')} required description={t('setup.slugHelp')} classNames={{ input: 'mono' }} {...g('slug')} onChange={(e) => { setOwnSlug(e.currentTarget.value !== ''); f.form.setFieldValue('slug', e.currentTarget.value); }} />
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
