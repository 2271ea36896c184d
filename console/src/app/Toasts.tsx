import '@mantine/notifications/styles.css';
import { Notifications } from '@mantine/notifications';

/** Loaded after the page: nothing is announced before somebody acts. */
export default function Toasts() {
  return <Notifications position="bottom-right" />;
}
