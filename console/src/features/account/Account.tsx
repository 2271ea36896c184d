import { PageHead } from '../../ui';

export default function Account() {
  return <PageHead title="Account" />;
}
