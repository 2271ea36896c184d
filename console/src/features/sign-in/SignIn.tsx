import { PageHead } from '../../ui';

export default function SignIn() {
  return <PageHead title="SignIn" />;
}
