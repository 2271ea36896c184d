import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createMemoryHistory, createRootRoute, createRoute, createRouter, RouterProvider } from '@tanstack/react-router';
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keys, type Client, type ClientList, type Me } from '../api';
import { Switcher } from './Switcher';

const client = (slug: string, name: string) => ({ id: slug, slug, name, tier: 'T2', score: 80, critical: 0, enter: { allowed: true, why: null } }) as Client;
const me: Me = { person: { id: 'per_1', email: 'a@b.c', name: 'A', locale: 'en', second_factor: false, recovery_codes_left: 0, preferences: { pinned: ['birch'], scheme: 'auto' }, version: 1 }, providers: [{ id: 'prv_1', slug: 'nw', name: 'NW', role: 'technician', client_count: 2 }], tenants: [], session: { id: 's', expires_at: '', idle_expires_at: '', second_factor_at: null } };
let root: Root;
let box: HTMLDivElement;
let router: ReturnType<typeof makeRouter>;
function makeRouter() {
  const top = createRootRoute({ component: () => <Switcher slug={null} section={undefined} name={undefined} /> });
  return createRouter({ routeTree: top.addChildren(['/', '/t/$slug/overview'].map((path) => createRoute({ getParentRoute: () => top, path }))), history: createMemoryHistory({ initialEntries: ['/'] }) });
}
beforeEach(async () => {
  (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;
  (globalThis as Record<string, unknown>).ResizeObserver = class { observe() {} unobserve() {} disconnect() {} };
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: Infinity } } });
  queries.setQueryData(keys.me, me);
  queries.setQueryData(keys.provider('nw', 'switchable', ''), { items: [client('acme', 'Acme Dental'), client('birch', 'Birchwood')], total: 2, next: null } as unknown as ClientList);
  box = document.createElement('div');
  document.body.append(box);
  router = makeRouter();
  await router.load();
  root = createRoot(box);
  await act(async () => root.render(<MantineProvider><QueryClientProvider client={queries}><RouterProvider router={router as never} /></QueryClientProvider></MantineProvider>));
  await act(async () => box.querySelector('button')!.click());
});
afterEach(() => { act(() => root.unmount()); document.body.innerHTML = ''; });

const search = () => document.querySelector<HTMLInputElement>('[role=combobox]')!;
const press = (key: string) => act(async () => { search().dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })); await new Promise((r) => setTimeout(r, 20)); });
const active = () => document.getElementById(search().getAttribute('aria-activedescendant')!)?.textContent ?? '';

it('starts at "All clients", then pinned, as real links', () => {
  expect(active()).toContain('All clients');
  expect([...document.querySelectorAll<HTMLAnchorElement>('[role=option]')].map((a) => a.getAttribute('href'))).toEqual(['/', '/t/birch/overview', '/t/acme/overview']);
});
it('moves with the arrows, stops at the ends, and opens with Enter', async () => {
  await press('ArrowUp');
  expect(active()).toContain('All clients');
  await press('ArrowDown');
  expect(active()).toContain('Birchwood');
  await press('End'); await press('ArrowDown');
  expect(active()).toContain('Acme Dental');
  await press('Enter');
  expect(router.state.location.pathname).toBe('/t/acme/overview');
});
