import { PageHead } from '../../ui';

export default function Tenants() {
  return <PageHead title="Tenants" />;
}
