import { Progress } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Logo, PageTitle, useBrand, useBrandName, useDoorBrand } from './brand';

/** The pages before anybody is signed in. */
export function Door({ title, wide, invitation, note, children }: { title: string; wide?: boolean; invitation?: string; note?: boolean; children: ReactNode }) {
  const known = useDoorBrand(invitation);
  const name = useBrandName();
  const { support, sign_in_text: words } = useBrand();
  return (
    <main id="main" className={wide ? 'door wide' : 'door'}>
      <PageTitle>{title}</PageTitle>
      <div className="panel"><div className="brandrow">{known ? <><Logo />{name}</> : <span className="logo-img" />}</div><h1>{title}</h1>{note && words && <p className="flush dim2 sm pre-line">{words}</p>}{children}{support && <p className="xs flush door-support"><a className="link" href={support.url} rel="noreferrer">{support.label}</a></p>}</div>
    </main>
  );
}
/** 0 too short, 1 weak, 2 fair, 3 strong: a hint while typing. The server has the last word. */
export function strength(password: string): 0 | 1 | 2 | 3 {
  if (password.length < 12) return 0;
  const different = new Set(password.toLowerCase()).size;
  if (different < 6 || /^(.{1,4})\1+$/.test(password) || /(?:0123|1234|abcd|qwert|passwor|letmein)/i.test(password)) return 1;
  const classes = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z\d]/].filter((c) => c.test(password)).length;
  return password.length >= 20 || (password.length >= 15 && classes >= 3) ? 3 : classes >= 2 || password.length >= 16 ? 2 : 1;
}
export function Strength({ password }: { password: string }) {
  const { t } = useTranslation();
  const level = strength(password);
  const words = [t('strength.short', { n: String(12 - password.length) }), t('strength.weak'), t('strength.fair'), t('strength.strong')][level];
  const colour = ['var(--bar-bad)', 'var(--bar-bad)', 'var(--bar-warn)', 'var(--bar-ok)'][level]!;
  return <div className="strength"><Progress size={4} value={password ? [12, 34, 67, 100][level]! : 0} color={colour} aria-label={t('strength.label')} /><span className="xs dim" role="status">{password ? words : '\u00a0'}</span></div>;
}
