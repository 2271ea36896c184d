import { Button, Switch, Textarea, TextInput } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconUpload } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { api, ApiProblem, BRAND_ASSETS, keys, upload, type BrandAsset, type BrandAssetKind, type BrandView, type Permission } from '../../api';
import { Act, asColour, Badge, contrast, ErrorState, fieldErrors, fmt, FormProblem, PageHead, PageSkeleton, Panel, textOn, toast } from '../../ui';
import { changesOf, draftOf, faintOn, inherited, layerOf, previewOf, type BrandDraft, type TextField } from './draft';
import { EmailPreview, ShellPreview, SignInPreview } from './Preview';
import './branding.css';

interface Props { to: string; queryKey: readonly unknown[]; sub: string; layer: 'provider' | 'tenant'; can: Permission; canAsset: Permission; children?: ReactNode }
/** A layer's brand: what it sets itself, what it inherits and from where, and how both look together. */
export function BrandPage({ to, queryKey, ...rest }: Props) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery({ queryKey, queryFn: ({ signal }) => api.get<BrandView>(to, undefined, signal) });
  if (error && !data) return <><PageHead title={t('branding.title')} /><ErrorState error={error} retry={() => void refetch()} /></>;
  if (!data) return <PageSkeleton />;
  return <Form key={data.version} view={data} to={to} queryKey={queryKey} {...rest} />;
}
const FIELDS = ['name', 'brand', 'accent', 'support_label', 'support_url', 'email_footer', 'sign_in_text', ...BRAND_ASSETS] as const satisfies readonly (TextField | BrandAssetKind)[];
const RENAME: Record<string, string> = { 'colours.brand': 'brand', 'colours.accent': 'accent', 'support.label': 'support_label', 'support.url': 'support_url', support: 'support_url', 'logo.light': 'logo_light', 'logo.dark': 'logo_dark' };

function Form({ view, to, queryKey, sub, layer, can: given, canAsset, children }: Props & { view: BrandView }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [draft, setDraft] = useState<BrandDraft>(() => draftOf(view));
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [problem, setProblem] = useState<unknown>(null);
  const [pending, setPending] = useState(false);
  const [dark, setDark] = useState(false);
  const can: Permission = view.locked ? { allowed: false, why: t('branding.lockedWhy'), needs: null } : given;
  const changes = changesOf(view, draft);
  const count = Object.keys(changes).length;
  const brand = previewOf(view, draft);
  const put = (change: Partial<BrandDraft>) => { setDraft((d) => ({ ...d, ...change })); setErrors((e) => Object.fromEntries(Object.entries(e).filter(([k]) => !(k in change)))); };
  const check = (): Record<string, string> => ({
    ...(draft.brand.trim() && !asColour(draft.brand) ? { brand: t('branding.badColour') } : {}), ...(draft.accent.trim() && !asColour(draft.accent) ? { accent: t('branding.badColour') } : {}),
    ...(draft.support_url.trim() && !/^(https:\/\/|mailto:)\S+$/.test(draft.support_url.trim()) ? { support_url: t('branding.badUrl') } : {}),
  });
  const save = async (e: React.FormEvent) => {
    e.preventDefault();
    const found = check();
    setErrors(found);
    if (pending || Object.keys(found).length > 0 || count === 0) return;
    setPending(true); setProblem(null);
    try {
      await api.patch(to, changes, view.version);
      toast(t('branding.saved'));
      await client.invalidateQueries({ queryKey });
      void client.invalidateQueries({ queryKey: keys.me });
      void client.invalidateQueries({ predicate: (q) => q.queryKey[0] === 'brand' || q.queryKey[2] === 'context' });
    } catch (p) {
      const { byField, rest } = p instanceof ApiProblem ? fieldErrors(p, FIELDS, RENAME) : { byField: {}, rest: [] };
      setErrors(byField);
      setProblem(Object.keys(byField).length > 0 && rest.length === 0 ? null : p);
    } finally { setPending(false); }
  };
  const off = !can.allowed;
  const field = (f: TextField) => ({ label: t(`branding.field.${f}`), error: errors[f], readOnly: off, description: <From view={view} field={f} layer={layer} empty={draft[f].trim() === ''} />, inputWrapperOrder: ['label', 'input', 'error', 'description'] as ('label' | 'input' | 'error' | 'description')[], placeholder: inherited(view, f) ?? t('branding.inherits'), onBlur: () => setErrors((now) => ({ ...now, ...Object.fromEntries(Object.entries(check()).filter(([k]) => k === f)) })) });
  const text = (f: 'name' | 'support_label' | 'support_url' | 'email_footer' | 'sign_in_text') => ({ ...field(f), value: draft[f], onChange: (e: React.ChangeEvent<HTMLInputElement | HTMLTextAreaElement>) => put({ [f]: e.currentTarget.value }) });
  return (
    <form onSubmit={(e) => void save(e)} noValidate>
      <PageHead title={t('branding.title')} sub={sub}>
        <Button variant="default" disabled={count === 0 || pending} onClick={() => { setDraft(draftOf(view)); setErrors({}); setProblem(null); }}>{t('branding.discard')}</Button>
        <Act type="submit" can={can} reason={count === 0 && t('branding.nothing')} loading={pending}>{t('branding.publish')}</Act>
      </PageHead>
      {view.locked ? <p className="note">{view.locked_by ? t('branding.lockedBy', { name: view.locked_by }) : t('branding.locked')}</p> : layer === 'tenant' && view.tenant_branding === 'inherit' && <p className="note">{t('branding.inheritOnly')}</p>}
      {problem !== null && <div className="gap-b"><FormProblem problem={problem} /></div>}
      <div className="brand-grid">
        <div className="stack">
          <Panel title={t('branding.identity')} pad>
            <div className="fields">
              <TextInput {...text('name')} maxLength={60} />
              {BRAND_ASSETS.map((k) => <Picture key={k} kind={k} to={to} value={draft.assets[k]} shown={k === 'favicon' ? brand.favicon : k === 'logo_dark' ? brand.logo.dark : brand.logo.light} can={view.locked ? can : canAsset.allowed ? can : canAsset} error={errors[k]} from={<From view={view} field={k} layer={layer} empty={!draft.assets[k]} />} onChange={(a) => put({ assets: { ...draft.assets, [k]: a } })} />)}
            </div>
          </Panel>
          <Panel title={t('branding.colours')} pad>
            <div className="fields">
              <Colour {...field('brand')} value={draft.brand} shown={brand.colours.brand} onPick={(v) => put({ brand: v })} />
              <Check ok={brand.contrast.ok}>{t('branding.contrast', { ratio: fmt.num(brand.contrast.ratio, 2), text: t(brand.colours.text_on_brand === '#ffffff' ? 'branding.white' : 'branding.black') })}</Check>
              <Colour {...field('accent')} value={draft.accent} shown={brand.colours.accent} onPick={(v) => put({ accent: v })} />
              {brand.colours.accent && (faintOn(brand.colours.accent).length === 0 ? <Check ok>{t('branding.accentOk', { ratio: fmt.num(contrast(brand.colours.accent, textOn(brand.colours.accent)), 2) })}</Check> : faintOn(brand.colours.accent).map((s) => <Check key={s}>{t(`branding.accentFaint.${s}`)}</Check>))}
            </div>
          </Panel>
          <Panel title={t('branding.words')} pad>
            <div className="fields">
              <div className="pair"><TextInput {...text('support_label')} maxLength={60} /><TextInput {...text('support_url')} maxLength={300} /></div>
              <Textarea {...text('sign_in_text')} autosize minRows={2} maxRows={6} maxLength={1000} />
              <Textarea {...text('email_footer')} autosize minRows={2} maxRows={8} maxLength={500} />
            </div>
          </Panel>
          {children}
        </div>
        <div className="brand-previews">
          <div className="row"><h2 className="flush">{t('branding.preview')}</h2><span className="grow" /><Switch label={t('branding.darkPreview')} checked={dark} onChange={(e) => setDark(e.currentTarget.checked)} /></div>
          {view.preview_host && <p className="xs dim flush">{t('branding.previewHost', { host: view.preview_host })}</p>}
          <SignInPreview brand={brand} dark={dark} /><ShellPreview brand={brand} dark={dark} /><EmailPreview brand={brand} />
        </div>
      </div>
    </form>
  );
}
/** Where a value comes from. */
function From({ view, field, layer, empty }: { view: BrandView; field: TextField | BrandAssetKind; layer: 'provider' | 'tenant'; empty: boolean }) {
  const { t } = useTranslation();
  if (!empty) return <Badge>{t('branding.setHere')}</Badge>;
  const from = layerOf(view, field);
  return <span>{!from || from === layer ? t('branding.fromAbove') : t(`branding.from.${from}`)}</span>;
}
const Check = ({ ok, children }: { ok?: boolean; children: ReactNode }) => <p className={ok ? 'brand-check good-ink' : 'brand-check near-ink'} role="status">{ok ? <IconCircleCheck size={17} aria-hidden /> : <IconAlertTriangle size={17} aria-hidden />}<span>{children}</span></p>;

function Colour({ value, shown, onPick, readOnly, ...rest }: { label: string; error?: string; readOnly: boolean; description: ReactNode; placeholder: string; value: string; shown: string | null; onPick: (v: string) => void; onBlur: () => void }) {
  const { t } = useTranslation();
  return (
    <TextInput {...rest} readOnly={readOnly} value={value} maxLength={9} spellCheck={false} autoComplete="off" classNames={{ input: 'mono' }} onChange={(e) => onPick(e.currentTarget.value)} leftSectionWidth={44}
      leftSection={<input type="color" className="swatch" aria-label={t('branding.pick', { what: rest.label })} disabled={readOnly} value={asColour(value) ?? shown ?? '#888888'} onChange={(e) => onPick(e.currentTarget.value)} />} />
  );
}
const BOUNDS = { logo_light: 512 * 1024, logo_dark: 512 * 1024, favicon: 64 * 1024 } as const satisfies Record<BrandAssetKind, number>;
function Picture({ kind, to, value, shown, can, error, from, onChange }: { kind: BrandAssetKind; to: string; value: BrandDraft['assets'][BrandAssetKind]; shown: string | null; can: Permission; error?: string; from: ReactNode; onChange: (a: BrandDraft['assets'][BrandAssetKind]) => void }) {
  const { t } = useTranslation();
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const [problem, setProblem] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const label = t(`branding.field.${kind}`);
  const take = async (file: File | undefined) => {
    if (input.current) input.current.value = '';
    if (!file) return;
    setProblem(null);
    if (file.size > BOUNDS[kind]) { setProblem(new ApiProblem({ status: 422, code: 'invalid', detail: t('branding.tooBig', { size: fmt.bytes(file.size), max: `${BOUNDS[kind] / 1024} KB` }) })); return; }
    setBusy(true);
    try { const { body } = await upload<BrandAsset>(`${to}/assets`, file, { kind }, () => undefined, file.type || 'application/octet-stream').done; onChange({ id: body.id, url: body.url }); } catch (e) { setProblem(e); } finally { setBusy(false); }
  };
  return (
    <div className="picture" role="group" aria-labelledby={id}>
      <span id={id} className="legend">{label}</span>
      <div className="row wrap">
        <span className={`picture-box ${kind === 'logo_dark' ? 'dark-scope' : 'light-scope'}`}>{shown ? <img src={shown} alt={label} /> : <span className="dim xs">{t('branding.noPicture')}</span>}</span>
        <span className="grow" />
        <input ref={input} type="file" className="vh" tabIndex={-1} accept="image/png,image/jpeg,image/svg+xml" aria-label={label} onChange={(e) => void take(e.currentTarget.files?.[0])} />
        <Act variant="default" size="compact-md" can={can} loading={busy} leftSection={<IconUpload size={15} />} onClick={() => input.current?.click()}>{t(value ? 'branding.replace' : 'ui.chooseFile')}<span className="vh">: {label}</span></Act>
        {value && <Act variant="subtle" size="compact-md" can={can} onClick={() => onChange(null)}>{t('branding.useInherited')}<span className="vh">: {label}</span></Act>}
      </div>
      <p className="xs dim flush">{from} · {t('branding.pictureHelp', { max: `${BOUNDS[kind] / 1024} KB` })}</p>
      {(problem !== null || error) && <FormProblem problem={problem ?? new ApiProblem({ status: 422, code: 'invalid', detail: error })} />}
    </div>
  );
}
