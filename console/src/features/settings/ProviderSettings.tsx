import { PageHead } from '../../ui';

export default function ProviderSettings() {
  return <PageHead title="ProviderSettings" />;
}
