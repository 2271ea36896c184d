import { useTranslation } from 'react-i18next';
import { keys, path, permission, useTenant } from '../../api';
import { Gate } from '../../ui';
import { BrandPage } from './BrandPage';

export default function TenantBranding() {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  return <Gate title={t('branding.title')} action="tenant_brand.view"><BrandPage to={path`/tenants/${slug}/brand`} queryKey={keys.tenant(slug, 'brand')} sub={t('branding.subTenant', { name: tenant.name })} layer="tenant" can={permission(can, 'tenant_brand.update')} canAsset={permission(can, 'tenant_brand_asset.create')} /></Gate>;
}
