import { PageHead } from '../../ui';

export default function Dashboard() {
  return <PageHead title="Dashboard" />;
}
