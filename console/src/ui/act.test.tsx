import { MantineProvider } from '@mantine/core';
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { may, permission, type Can } from '../api';
import { Act } from './act';

const can: Can = { 'staff.invite': { allowed: true, why: null, needs: null }, 'tenant.purge': { allowed: false, why: 'You are a technician.', needs: 'Provider admin' } };
let root: Root;
let box: HTMLDivElement;
beforeEach(() => { (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true; document.body.innerHTML = '<div id="root"></div><div id="pop"></div>'; box = document.querySelector('#root')!; root = createRoot(box); });
afterEach(() => act(() => root.unmount()));
const render = (node: React.ReactNode) => act(async () => root.render(<MantineProvider>{node}</MantineProvider>));

it('runs what is allowed', async () => {
  const run = vi.fn();
  await render(<Act can={permission(can, 'staff.invite')} onClick={run}>Invite</Act>);
  act(() => box.querySelector('button')!.click());
  expect(run).toHaveBeenCalledOnce();
});
it('keeps what is not allowed in place, focusable, with the reason for everybody', async () => {
  const run = vi.fn();
  await render(<Act can={permission(can, 'tenant.purge')} onClick={run}>Purge</Act>);
  const button = box.querySelector('button')!;
  act(() => button.click());
  expect(run).not.toHaveBeenCalled();
  expect(button.disabled).toBe(false);
  expect(button.getAttribute('aria-disabled')).toBe('true');
  expect(document.getElementById(button.getAttribute('aria-describedby')!)?.textContent).toBe('You are a technician. It needs Provider admin.');
});
it('does not submit a form it may not submit', async () => {
  const submit = vi.fn((e: React.FormEvent) => e.preventDefault());
  await render(<form onSubmit={submit}><Act type="submit" can={permission(can, 'tenant.purge')}>Save</Act></form>);
  act(() => box.querySelector('button')!.click());
  expect(submit).not.toHaveBeenCalled();
});
it('allows nothing by absence', () => { expect(may(can, 'never.heard.of')).toBe(false); expect(may(undefined, 'staff.invite')).toBe(false); });
