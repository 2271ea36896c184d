import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Brand } from '../../api';
import { Logo } from '../../ui';

/** A part of the page with a brand and colours of its own; nothing in it can be used. */
function Scope({ title, brand, dark, children }: { title: string; brand: Brand; dark: boolean; children: ReactNode }) {
  return <figure className="preview-fig"><div className={`brand-scope ${dark ? 'dark-scope' : 'light-scope'} preview-scope`} style={{ ['--brand' as string]: brand.colours.brand }} inert><div aria-hidden className="contents">{children}</div></div><figcaption className="xs dim">{title}</figcaption></figure>;
}
const Name = ({ brand }: { brand: Brand }) => <div className="pv-brand"><Logo of={brand} /><span className="trunc">{brand.name}</span></div>;

export function SignInPreview({ brand, dark }: { brand: Brand; dark: boolean }) {
  const { t } = useTranslation();
  return (
    <Scope title={t('signIn.title')} brand={brand} dark={dark}>
      <div className="pv-page"><div className="pv-door">
        <Name brand={brand} /><b>{t('signIn.title')}</b>
        {brand.sign_in_text && <p className="sm dim2 flush pre-line clamp">{brand.sign_in_text}</p>}
        <span className="pv-input">{t('signIn.email')}</span><span className="pv-input">{t('signIn.password')}</span><span className="pv-button wide">{t('signIn.submit')}</span>
        {brand.support && <span className="pv-link xs">{brand.support.label}</span>}
      </div></div>
    </Scope>
  );
}
export function ShellPreview({ brand, dark }: { brand: Brand; dark: boolean }) {
  const { t } = useTranslation();
  return (
    <Scope title={t('branding.shell')} brand={brand} dark={dark}>
      <div className="pv-shell"><div className="pv-side"><Name brand={brand} /><span className="pv-nav on">{t('nav.overview')}</span><span className="pv-nav">{t('nav.findings')}</span><span className="pv-nav">{t('nav.compliance')}</span><span className="pv-nav">{t('nav.members')}</span></div>
        <div className="pv-main"><b>{t('nav.overview')}</b><div className="pv-card"><span className="xs dim2">{t('nav.compliance')}</span><b className="num">82%</b><span className="pv-bar"><i /></span></div><div className="row tight wrap"><span className="pv-button">{t('overview.import')}</span><span className="pv-link sm">{t('nav.findings')}</span>{brand.colours.accent && <span className="pv-accent" style={{ background: brand.colours.accent }} />}</div></div></div>
    </Scope>
  );
}
export function EmailPreview({ brand }: { brand: Brand }) {
  const { t } = useTranslation();
  return (
    <Scope title={t('branding.mail')} brand={brand} dark={false}>
      <div className="pv-page"><div className="pv-mail"><Name brand={brand} /><b>{t('invite.title', { organisation: brand.name })}</b><p className="sm dim2 flush">{t('branding.mailText')}</p><span className="pv-button">{t('invite.accept')}</span>{brand.email_footer && <p className="xs dim flush pre-line pv-foot">{brand.email_footer}</p>}</div></div>
    </Scope>
  );
}
