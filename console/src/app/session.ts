import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { isProblem, keys } from '../api';
import { router } from './router';

const SIGNED_OUT = /^\/(sign-in|setup|invite)(\/|$)/;
/** Nobody is signed in any more: to the sign-in page, which leads back here. */
function whenSignedOut(error: unknown) {
  if (!isProblem(error, 'not_signed_in') && !isProblem(error, 'second_factor_required')) return;
  const here = router.state.location;
  if (SIGNED_OUT.test(here.pathname)) return;
  const next = here.pathname + here.searchStr;
  void router.navigate({ to: '/sign-in', search: { next: next === '/' ? undefined : next, step: error.code === 'second_factor_required' ? 'code' : undefined } as never, replace: true });
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError: whenSignedOut }),
  mutationCache: new MutationCache({ onError: whenSignedOut }),
  defaultOptions: { queries: { staleTime: 15_000, refetchOnWindowFocus: true, retry: (n, e) => n < 2 && (isProblem(e, 'offline') || isProblem(e, 'unavailable')) } },
});

/** Leaving a tenant drops what was read of it; another tab has its own. */
const tenantOf = (path: string | undefined) => path?.match(/^\/t\/([^/]+)/)?.[1];
router.subscribe('onResolved', ({ fromLocation, toLocation }) => {
  const left = tenantOf(fromLocation?.pathname);
  if (left && left !== tenantOf(toLocation.pathname)) queryClient.removeQueries({ queryKey: keys.tenant(decodeURIComponent(left)) });
});
