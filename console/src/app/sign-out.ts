import { api } from '../api';

/** A fresh page: nothing of the person stays in memory. */
export async function signOut() {
  await api.del('/session').catch(() => undefined);
  location.assign('/sign-in');
}
