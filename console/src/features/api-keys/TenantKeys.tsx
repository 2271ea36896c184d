import { useTranslation } from 'react-i18next';
import { keys, path, permission, useTenant } from '../../api';
import { Gate } from '../../ui';
import { ApiKeys } from './ApiKeys';

export default function TenantKeys() {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  return <Gate title={t('keys.title')} action="api_key.list"><ApiKeys to={path`/tenants/${slug}/api-keys`} queryKey={keys.tenant(slug, 'api-keys')} create={permission(can, 'api_key.create')} revoke={permission(can, 'api_key.revoke')} place={tenant.name} /></Gate>;
}
