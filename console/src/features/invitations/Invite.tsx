import { PageHead } from '../../ui';

export default function Invite() {
  return <PageHead title="Invite" />;
}
