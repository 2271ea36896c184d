import { IconLock, IconPackageOff } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { permission, useTenant } from '../api';
import { useReason } from './act';
import { date } from './format';
import { Empty, PageHead } from './page';
import './tenant.css';

/** Null when it is open; otherwise why not: the module is not in the plan, or the person's access doesn't reach it. */
export function useClosed(action: string, module?: string): { kind: 'module' | 'access'; title: string; text: string } | null {
  const { t } = useTranslation();
  const { tenant, can } = useTenant();
  const why = useReason({ can: permission(can, action) });
  const left = tenant.closed_modules?.find((c) => c.module === module);
  if (module && !tenant.modules.includes(module)) return { kind: 'module', title: t('closed.title', { module: t(`module.${module}` as 'module.compliance', { defaultValue: module }) }), text: left ? t('closed.left', { date: date(left.closed_at), until: date(left.kept_until) }) : tenant.plan ? t('closed.text', { plan: tenant.plan }) : t('closed.noPlan') };
  return why ? { kind: 'access', title: t('problem.forbidden.title'), text: why } : null;
}
/** A page's content, or a panel that says why it is closed here. An address can be typed by anybody. */
export function Gate({ title, action, module, children }: { title: string; action: string; module?: string; children: ReactNode }) {
  const closed = useClosed(action, module);
  return closed ? <><PageHead title={title} /><Empty icon={closed.kind === 'module' ? IconPackageOff : IconLock} title={closed.title}>{closed.text}</Empty></> : children;
}
