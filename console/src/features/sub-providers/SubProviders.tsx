import { PageHead } from '../../ui';

export default function SubProviders() {
  return <PageHead title="SubProviders" />;
}
