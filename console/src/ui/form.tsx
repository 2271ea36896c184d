import { Alert, Button, Drawer } from '@mantine/core';
import { useForm, type UseFormReturnType } from '@mantine/form';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiProblem, isProblem } from '../api';
import { problemText } from './page';
import { toastProblem } from './toast';

type Values = Record<string, unknown>;
export interface ApiForm<V extends Values> {
  form: UseFormReturnType<V>; submit: (e?: React.FormEvent) => void; pending: boolean;
  /** What no field could show. */
  problem: unknown; reset: (values?: V) => void;
}
/** The server's words continue a field's name ("may be at most…"); below the field they stand alone. */
const sentence = (message: string) => message.charAt(0).toUpperCase() + message.slice(1);
/** Field errors of a problem, by form field. `rename` maps API fields that the form calls otherwise. */
export function fieldErrors(problem: ApiProblem, fields: readonly string[], rename: Record<string, string> = {}): { byField: Record<string, string>; rest: string[] } {
  const byField: Record<string, string> = {};
  const rest: string[] = [];
  for (const e of problem.errors) {
    const name = rename[e.field] ?? e.field;
    const field = fields.includes(name) ? name : fields.find((f) => name.startsWith(`${f}.`));
    if (field) byField[field] ??= sentence(e.message); else rest.push(sentence(e.message));
  }
  return { byField, rest };
}
/** Validates on blur and on submit, puts the server's complaints at their fields, and is safe to submit twice. */
export function useApiForm<V extends Values>({ initial, validate, rename, save }: {
  initial: V; validate?: { [K in keyof V]?: (value: V[K], values: V) => string | null | false }; rename?: Record<string, string>; save: (values: V) => Promise<unknown>;
}): ApiForm<V> {
  const form = useForm<V>({ mode: 'controlled', initialValues: initial, validateInputOnBlur: true, validate: validate as never });
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const busy = useRef(false);
  const run = async (values: V) => {
    if (busy.current) return;
    busy.current = true; setPending(true); setProblem(null);
    try { await save(values); } catch (e) {
      if (e instanceof ApiProblem && e.errors.length > 0) {
        const { byField, rest } = fieldErrors(e, Object.keys(values), rename);
        form.setErrors(byField);
        if (rest.length > 0) setProblem(new ApiProblem({ status: e.status, code: 'invalid', detail: rest.join(' ') }));
        focusFirst(Object.keys(byField)[0]);
      } else { setProblem(e); if (isProblem(e, 'precondition_failed')) toastProblem(e); }
    } finally { busy.current = false; setPending(false); }
  };
  const focusFirst = (field: string | undefined) => { if (field) setTimeout(() => form.getInputNode(field as never)?.focus()); };
  return { form, pending, problem, submit: form.onSubmit(run, (errors) => focusFirst(Object.keys(errors)[0])) as ApiForm<V>['submit'], reset: (values) => { if (values) form.setInitialValues(values); form.reset(); setProblem(null); } };
}
export function FormProblem({ problem }: { problem: unknown }) {
  if (!problem) return null;
  return <Alert color="red" role="alert" p="sm" icon={<IconAlertTriangle size={18} aria-hidden />} className="alert">{problemText(problem)}</Alert>;
}
export const Fields = ({ children }: { children: ReactNode }) => <div className="fields">{children}</div>;
export function FormDrawer({ opened, onClose, title, sub, form, submitLabel, children, footer }: { opened: boolean; onClose: () => void; title: string; sub?: ReactNode; form: ApiForm<never> | Pick<ApiForm<Values>, 'submit' | 'pending' | 'problem'>; submitLabel: string; children: ReactNode; footer?: ReactNode }) {
  const { t } = useTranslation();
  return (
    <SideDrawer opened={opened} onClose={onClose} title={title}>
      <form onSubmit={form.submit} noValidate className="drawer-form">
        <Fields>{sub && <p className="dim2 flush">{sub}</p>}<FormProblem problem={form.problem} />{children}</Fields>
        <div className="drawer-foot">{footer}<span className="grow" /><Button variant="default" onClick={onClose}>{t('ui.cancel')}</Button><Button type="submit" loading={form.pending}>{submitLabel}</Button></div>
      </form>
    </SideDrawer>
  );
}
export function SideDrawer({ opened, onClose, title, size = 460, children }: { opened: boolean; onClose: () => void; title: ReactNode; size?: number; children: ReactNode }) {
  const { t } = useTranslation();
  return <Drawer opened={opened} onClose={onClose} position="right" size={size} title={title} closeButtonProps={{ 'aria-label': t('ui.close') }} overlayProps={{ backgroundOpacity: 0.3 }} transitionProps={{ duration: 120 }}>{children}</Drawer>;
}
/** Shared checks; each answers a sentence or null. */
export function useChecks() {
  const { t } = useTranslation();
  return {
    filled: (v: string) => (v.trim() ? null : t('form.required')),
    email: (v: string) => (/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(v.trim()) ? null : t('form.email')),
    emailOrEmpty: (v: string) => (!v.trim() || /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(v.trim()) ? null : t('form.email')),
    slug: (v: string) => (/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/.test(v) ? null : t('form.slug')),
    password: (v: string) => (v.length >= 12 ? null : t('form.password')),
    future: (v: string) => (!v || Date.parse(`${v}T23:59:59`) > Date.now() ? null : t('form.future')),
  };
}
