import { Button } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import '../i18n/business';
import { useMeQuery, type Lack, type Me } from '../api';
import { Enrol, Password } from '../features/account/Account';
import { Door } from '../ui';
import { signOut } from './sign-out';
import StepUp from './StepUp';

/** Signed in, but a place of theirs asks for more before anything else is open. Mended, the page that was asked for appears. */
export default function Lacking({ me, missing }: { me: Me; missing: Lack }) {
  const { t } = useTranslation();
  const again = useMeQuery().refetch;
  const [open, setOpen] = useState(missing === 'second_factor_again');
  return (
    <><Door title={t(`lacking.${missing}.title`)} wide>
      <p className="flush dim2">{t(`lacking.${missing}.text`)}</p>
      {missing === 'password' ? <Password /> : <Button size="md" onClick={() => setOpen(true)}>{t(missing === 'second_factor' ? 'lacking.begin' : 'signIn.verify')}</Button>}
      {missing === 'second_factor' && <Enrol opened={open} onClose={() => setOpen(false)} />}
      {missing === 'second_factor_again' && open && <StepUp onDone={(proven) => { setOpen(false); if (proven) void again(); }} />}
      <div className="row wrap"><span className="xs dim grow">{t('shell.signedInAs', { email: me.person.email })}</span><Button variant="subtle" color="gray" size="compact-sm" onClick={() => void signOut()}>{t('lacking.signOut')}</Button></div>
    </Door><div id="pop" role="region" aria-label={t('shell.popups')} /></>
  );
}
