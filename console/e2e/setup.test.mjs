import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, heading, open, quiet, settled, withBrowser } from './hub.mjs';
import { startHub } from './start.mjs';

withBrowser();

test('the first run: code of the log, provider, administrator', async (t) => {
  const hub = await startHub(['serve']);
  t.after(() => hub.stop());
  const page = await open(await enter(t, undefined, { baseURL: hub.url }), '/', { allow: /status of 4/ });
  await page.waitForURL(/\/setup/);
  await heading(page, 'Set up Tenantry');
  await page.getByLabel('One-time code').fill('aaaa-bbbb-cccc-dddd-eeee');
  await page.getByLabel('Name of your company').fill('Lakeside Services');
  assert.equal(await page.getByLabel('Short name').inputValue(), 'lakeside-services');
  await page.getByLabel('Your name').fill('Ada Quill');
  await page.getByLabel('Your e-mail').fill('ada@lakeside.example');
  await page.getByLabel('Password', { exact: false }).first().fill('paddle-harbour-lantern-9');
  await page.getByRole('button', { name: 'Create and sign in' }).click();
  await page.locator('[aria-invalid=true], [role=alert]').first().waitFor();
  assert.match(page.url(), /\/setup/, 'a wrong code is refused');
  await page.getByLabel('One-time code').fill(hub.setupCode);
  await page.getByRole('button', { name: 'Create and sign in' }).click();
  await heading(page, 'Client dashboard');
  await page.getByText('No clients yet').waitFor();
  await page.goto('/setup');
  await page.getByText('This installation is already set up.').waitFor();
  await page.goto('/ledger');
  await settled(page);
  quiet(page);
});
