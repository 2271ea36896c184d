import { PageHead } from '../../ui';

export default function ProviderLedger() {
  return <PageHead title="ProviderLedger" />;
}
