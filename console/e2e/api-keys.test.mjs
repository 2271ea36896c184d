import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, open, person, quiet, rows, settled, toast, url, withBrowser } from './hub.mjs';

withBrowser();
const use = (token, path) => fetch(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });

test('an API key: the password once more, shown once, used, revoked', async (t) => {
  const admin = await enter(t, 'tenant_admin');
  const page = await open(admin, '/t/acme/api-keys', { allow: /status of (401|403)/ });
  await settled(page);
  await page.getByRole('button', { name: 'Create API key' }).first().click();
  const drawer = page.getByRole('dialog', { name: 'Create API key' });
  await drawer.getByRole('textbox', { name: 'Name' }).fill('Billing export');
  await drawer.getByRole('button', { name: 'Create API key' }).click();
  await drawer.getByText('Choose at least one action').waitFor();
  await drawer.getByLabel('Search actions').fill('finding.list');
  await drawer.getByRole('checkbox', { name: /finding\.list/ }).check();
  await drawer.getByRole('button', { name: 'Create API key' }).click();

  // Cancelled, the form says so and keeps what was typed.
  const prove = page.getByRole('dialog', { name: 'Prove that it is you' });
  await prove.getByRole('button', { name: 'Cancel' }).click();
  await drawer.getByRole('alert').waitFor();
  assert.equal(await drawer.getByRole('textbox', { name: 'Name' }).inputValue(), 'Billing export');
  await drawer.getByRole('button', { name: 'Create API key' }).click();
  await prove.getByRole('textbox', { name: 'Password' }).fill('not my password');
  await prove.getByRole('button', { name: 'Continue' }).click();
  await prove.getByText('The password is wrong.').waitFor();
  await prove.getByRole('textbox', { name: 'Password' }).fill(person('tenant_admin').password);
  await prove.getByRole('button', { name: 'Continue' }).click();
  const shown = page.getByRole('dialog', { name: 'Billing export is ready' });
  const token = await shown.getByRole('textbox', { name: 'API key' }).inputValue();
  assert.match(token, /^tnk_/);
  await shown.getByRole('button', { name: 'I have kept it' }).click();
  await shown.waitFor({ state: 'detached' });
  assert.ok(!(await page.content()).includes(token), 'it is not shown again');

  assert.equal((await use(token, '/tenants/acme/findings')).status, 200);
  assert.equal((await use(token, '/tenants/acme/members')).status, 403, 'only its own actions');
  assert.equal((await use(token, '/tenants/dunmore/findings')).status, 404, 'no other client');
  await page.reload();
  await settled(page);
  const row = rows(page).filter({ hasText: 'Billing export' });
  await row.getByText('1 action').waitFor();
  await row.getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await toast(page, 'Billing export is revoked');
  await row.getByText('Revoked').waitFor();
  assert.equal((await use(token, '/tenants/acme/findings')).status, 401);
  quiet(page);
});

test('technicians see that keys are not theirs to make', async (t) => {
  const page = await open(await enter(t, 'technician_t3'), '/t/acme/overview');
  await settled(page);
  const item = page.getByRole('navigation', { name: 'Client' }).getByRole('link', { name: 'API keys' });
  assert.equal(await item.getAttribute('aria-disabled'), 'true');
  await page.goto('/t/acme/api-keys');
  await settled(page);
  assert.equal(await page.getByRole('button', { name: 'Create API key' }).count(), 0);
  quiet(page);
});
