import { keys, path, permission, useProvider } from '../../api';
import { ApiKeys } from './ApiKeys';

export default function ProviderKeys() {
  const { slug, name, can } = useProvider();
  return <ApiKeys to={path`/providers/${slug}/api-keys`} queryKey={keys.provider(slug, 'api-keys')} create={permission(can, 'provider_api_key.create')} revoke={permission(can, 'provider_api_key.revoke')} place={name} />;
}
