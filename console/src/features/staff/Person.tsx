import { PageHead } from '../../ui';

export default function Person() {
  return <PageHead title="Person" />;
}
