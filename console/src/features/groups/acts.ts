import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, useProvider, type TenantGroup } from '../../api';
import { toast, type Ask } from '../../ui';

export function useDropGroup(ask: (what: Ask) => void) {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  return (g: TenantGroup, then?: () => Promise<unknown>) => ask({ title: t('groups.removeTitle', { name: g.name }), danger: true, label: t('groups.remove'), lines: [t('groups.removeLine', { count: g.client_count })], run: async () => { await api.del(path`/providers/${provider.slug}/groups/${g.id}`, undefined, g.version); toast(t('groups.removed', { name: g.name })); await then?.(); await client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'groups') }); } });
}
