import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useProvider, type Staff, type StaffDetail } from '../../api';
import { toast, toastProblem, type Ask } from '../../ui';

type Someone = Pick<Staff, 'id' | 'person' | 'role' | 'version'> & { assignments: number };
export const counted = (s: StaffDetail): Someone => ({ ...s, assignments: s.assignments.length });

/** Promote, demote, disable, enable, remove: with what they do, and an undo where there is one. */
export function useStaffActs(ask: (what: Ask) => void) {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const to = (s: Pick<Staff, 'id'>) => path`/providers/${provider.slug}/staff/${s.id}`;
  const refresh = () => client.invalidateQueries({ queryKey: keys.provider(provider.slug) });
  const role = async (s: Pick<Staff, 'id' | 'version'>, next: Staff['role']) => { const changed = await api.patch<Staff>(to(s), { role: next }, s.version); await refresh(); return changed; };
  const post = async (s: Pick<Staff, 'id'>, what: 'disable' | 'enable') => { const changed = await api.post<Staff>(`${to(s)}/${what}`); await refresh(); return changed; };
  return {
    promote: (s: Someone) => ask({ title: t('staff.promoteTitle', { name: s.person.name }), lines: [t('staff.promoteLine'), t(provider.settings.access_mode === 'tiered' ? 'staff.promoteTiered' : 'staff.promoteExplicit')], label: t('staff.promote'), run: async () => { const now = await role(s, 'provider_admin'); toast(t('staff.promoted', { name: s.person.name }), () => role(now, 'technician').catch(toastProblem)); } }),
    demote: (s: Someone) => ask({ title: t('staff.demoteTitle', { name: s.person.name }), lines: [t('staff.demoteLine', { name: s.person.name, count: s.assignments })], label: t('staff.demote'), danger: true, run: async () => { const now = await role(s, 'technician'); toast(t('staff.demoted', { name: s.person.name }), () => role(now, 'provider_admin').catch(toastProblem)); } }),
    disable: (s: Someone) => ask({ title: t('staff.disableTitle', { name: s.person.name }), lines: [t('staff.disableLine', { name: s.person.name, provider: provider.name })], label: t('staff.disable'), danger: true, run: async () => { await post(s, 'disable'); toast(t('staff.disabledToast', { name: s.person.name }), () => post(s, 'enable').catch(toastProblem)); } }),
    enable: (s: Someone) => void post(s, 'enable').then(() => toast(t('staff.enabledToast', { name: s.person.name })), toastProblem),
    remove: (s: Someone, then?: () => Promise<void>) => ask({ title: t('staff.removeTitle', { name: s.person.name, provider: provider.name }), lines: [t('staff.removeLine', { name: s.person.name, count: s.assignments })], label: t('staff.removeStaff'), danger: true, typed: s.person.name, run: async () => { await api.del(to(s)); toast(t('staff.removed', { name: s.person.name })); await then?.(); await refresh(); } }),
  };
}
