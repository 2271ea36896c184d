import { PageHead } from '../../ui';

export default function Setup() {
  return <PageHead title="Setup" />;
}
