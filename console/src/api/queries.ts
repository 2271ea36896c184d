import { keepPreviousData, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { api, path } from './client';
import type { Brand, NoticeList } from './hub-types';
import type { Plan } from './business';
import type { Client, ClientList, Me, MeUpdate, Provider, TenantContext } from './types';
import type { List } from './types';

/** Everything of a tenant lives under ['t', slug, …] and is dropped when the tenant is left; everything of a provider under ['p', slug, …]. */
export const keys = {
  me: ['me'] as const,
  provider: (slug: string, ...rest: unknown[]) => ['p', slug, ...rest] as const,
  tenant: (slug: string, ...rest: unknown[]) => ['t', slug, ...rest] as const,
};

export const meQuery = queryOptions({ queryKey: keys.me, queryFn: ({ signal }) => api.get<Me>('/me', undefined, signal), staleTime: 60_000 });
export const useMeQuery = () => useQuery(meQuery);
/** Only inside the shell, which renders nothing before /me has answered. */
export function useMe(): Me {
  const { data } = useQuery(meQuery);
  if (!data) throw new Error('useMe outside the shell');
  return data;
}
export function useMeUpdate() {
  const client = useQueryClient();
  return useMutation({ mutationFn: (change: MeUpdate) => api.patch<Me>('/me', change), onSuccess: (me) => client.setQueryData(keys.me, me) });
}

/** Staff of several providers choose one with ?provider=; it is in the address and nowhere else. */
export function useProviderSlug(): string | null {
  const { provider } = useSearch({ strict: false }) as { provider?: string };
  const { data: me } = useQuery(meQuery);
  return me?.providers.find((p) => p.slug === provider)?.slug ?? me?.providers[0]?.slug ?? null;
}
export const providerQuery = (slug: string) => queryOptions({ queryKey: keys.provider(slug, 'provider'), queryFn: ({ signal }) => api.get<Provider>(path`/providers/${slug}`, undefined, signal), staleTime: 30_000 });
export const useProviderQuery = (slug: string | null) => useQuery({ ...providerQuery(slug ?? ''), enabled: slug !== null });
/** Only on provider pages: their layout waits for the provider. */
export function useProvider(): Provider {
  const { data } = useProviderQuery(useProviderSlug());
  if (!data) throw new Error('useProvider outside a provider page');
  return data;
}

/** The clients by name, for the switcher and the palette. More than fit are found with the server's search. */
export const switchableQuery = (slug: string, q = '') => queryOptions({
  queryKey: keys.provider(slug, 'switchable', q), queryFn: ({ signal }) => api.get<ClientList>(path`/providers/${slug}/clients`, { sort: 'name', limit: 200, q }, signal), staleTime: 30_000,
});
export function useSwitchable(slug: string | null, q: string): { items: Client[]; total: number; loading: boolean } {
  const all = useQuery({ ...switchableQuery(slug ?? ''), enabled: slug !== null });
  const cut = (all.data?.next ?? null) !== null;
  const found = useQuery({ ...switchableQuery(slug ?? '', q), enabled: slug !== null && cut && q !== '', placeholderData: keepPreviousData });
  return { items: (cut && q ? found.data : all.data)?.items ?? all.data?.items ?? [], total: all.data?.total ?? 0, loading: all.isPending && slug !== null };
}
export const usePlans = (slug: string, enabled = true) => useQuery({ queryKey: keys.provider(slug, 'plans'), queryFn: ({ signal }) => api.get<List<Plan>>(path`/providers/${slug}/plans`, { limit: 200 }, signal), staleTime: 300_000, enabled });

/** Whose house this is, before anybody has signed in: the server goes by the host, an invitation helps where that says nothing. */
export const brandQuery = (invitation?: string) => queryOptions({ queryKey: ['brand', invitation ?? null], queryFn: ({ signal }) => api.get<Brand>('/brand', { invitation }, signal), staleTime: Infinity, retry: false });

const MINUTE_MS = 60_000;
export const noticesQuery = queryOptions({ queryKey: ['notices'], queryFn: ({ signal }) => api.get<NoticeList>('/me/notifications', { limit: 30 }, signal), staleTime: MINUTE_MS, retry: false });

export const contextQuery = (slug: string) => queryOptions({ queryKey: keys.tenant(slug, 'context'), queryFn: ({ signal }) => api.get<TenantContext>(path`/tenants/${slug}/context`, undefined, signal), staleTime: 30_000 });
/** Null outside a tenant: the tenant is in the address and nowhere else. */
export function useTenantSlug(): string | null {
  const { slug } = useParams({ strict: false }) as { slug?: string };
  return slug ?? null;
}
/** Only on tenant pages: their layout waits for the context. */
export function useTenant(): TenantContext & { slug: string } {
  const slug = useTenantSlug();
  const { data } = useQuery({ ...contextQuery(slug ?? ''), enabled: slug !== null });
  if (!slug || !data) throw new Error('useTenant outside a tenant page');
  return { ...data, slug };
}
