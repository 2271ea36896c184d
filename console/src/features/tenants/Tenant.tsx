import { PageHead } from '../../ui';

export default function Tenant() {
  return <PageHead title="Tenant" />;
}
