import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import { api, keys, permission, useProvider, type ClientSettingList, type Tenant } from '../../api';
import { ErrorState, Panel, SkLines } from '../../ui';
import { SettingsForm } from '../../ui/settings';

/** Where the provider decides otherwise for this client than for the rest. */
export function ClientSettings({ x, to }: { x: Tenant; to: string }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const key = keys.provider(provider.slug, 'client-settings', x.slug);
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get<ClientSettingList>(`${to}/settings`, undefined, signal) });
  return (
    <section className="gap-b" aria-label={t('setting.clientTitle')}>
      <h2 className="flush">{t('setting.clientTitle')}</h2><p className="dim2 sm flush gap-b8">{t('setting.clientText', { name: x.name })}</p>
      {error && !data ? <ErrorState error={error} retry={() => void refetch()} /> : !data ? <Panel pad><SkLines lines={4} /></Panel>
        : <SettingsForm groups={[{ key: 'settings', settings: data.settings }]} scope="client" can={permission(x.can, 'client_setting.update')} save={async (settings) => { client.setQueryData(key, await api.patch<ClientSettingList>(`${to}/settings`, { settings }, data.version)); void client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'tenant', x.slug) }); }} />}
    </section>
  );
}
