import { QueryClient } from '@tanstack/react-query';
import { isProblem, keys, onProblem, type ApiProblem } from '../api';
import { router } from './router';

export const queryClient = new QueryClient({
  defaultOptions: { queries: { staleTime: 15_000, refetchOnWindowFocus: true, retry: (n, e) => n < 2 && (isProblem(e, 'offline') || isProblem(e, 'unavailable')) } },
});

const DOORS = /^\/(sign-in|setup|invite|reset)(\/|$)/;
let leaving = false;
/** Nobody is signed in any more: to the sign-in page, which leads back here. What was read is dropped. */
function signedOut(problem: ApiProblem) {
  const here = router.state.location;
  if (leaving || DOORS.test(here.pathname)) return;
  leaving = true;
  const next = here.pathname + here.searchStr;
  const stop = router.subscribe('onRendered', () => { stop(); leaving = false; queryClient.removeQueries({ predicate: (q) => q.queryKey[0] !== 'setup' && q.queryKey[0] !== 'brand' }); });
  void router.navigate({ to: '/sign-in', search: { next: next === '/' ? undefined : next, step: problem.code === 'second_factor_required' ? 'code' : undefined } as never, replace: true });
}
onProblem((problem) => {
  if (problem.status === 401 && (problem.code === 'not_signed_in' || problem.code === 'second_factor_required')) signedOut(problem);
  // Signed in, but something is asked of them first: /me says what, and the shell shows nothing else.
  else if (problem.code === 'second_factor_required' || problem.code === 'password_expired') void queryClient.invalidateQueries({ queryKey: keys.me });
  // Somebody else changed it: show what is there now, so that the next try is made against it.
  if (problem.code === 'precondition_failed') void queryClient.invalidateQueries();
});

/** Leaving a tenant drops what was read of it; another tab has its own. */
const tenantOf = (path: string | undefined) => path?.match(/^\/t\/([^/]+)/)?.[1];
router.subscribe('onResolved', ({ fromLocation, toLocation }) => {
  const left = tenantOf(fromLocation?.pathname);
  if (left && left !== tenantOf(toLocation.pathname)) queryClient.removeQueries({ queryKey: keys.tenant(decodeURIComponent(left)) });
});
