import { PageHead } from '../../ui';

export default function Staff() {
  return <PageHead title="Staff" />;
}
