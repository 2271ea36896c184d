import { useTranslation } from 'react-i18next';
import { keys, path, permission, useProvider } from '../../api';
import { BrandPage } from './BrandPage';
import { HostNames } from './HostNames';

export default function ProviderBranding() {
  const { t } = useTranslation();
  const provider = useProvider();
  return <><BrandPage to={path`/providers/${provider.slug}/brand`} queryKey={keys.provider(provider.slug, 'brand')} sub={t('branding.subProvider')} layer="provider" can={permission(provider.can, 'provider_brand.update')} canAsset={permission(provider.can, 'provider_brand_asset.create')} /><HostNames /></>;
}
