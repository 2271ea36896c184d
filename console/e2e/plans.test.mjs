import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, heading, kpi, open, post, quiet, rows, settled, toast, withBrowser } from './hub.mjs';

withBrowser();
const planOf = async (context, slug) => (await get(context, `/providers/northwind/tenants/${slug}`)).plan;

test('a plan: added, given to a client with a preview, changed for new clients only, and the client moved to the newest', async (t) => {
  const context = await enter(t, 'provider_admin');
  const before = await planOf(context, 'glasswing');
  const page = await open(context, '/plans');
  await settled(page);
  await page.getByRole('button', { name: 'Add plan' }).click();
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('button', { name: 'Add plan' }).click();
  await drawer.getByText('Fill this in').waitFor();
  await drawer.getByLabel('Name').fill('Studio');
  await drawer.getByRole('checkbox', { name: 'Observability' }).check();
  await drawer.getByLabel('Seats', { exact: true }).fill('40');
  await drawer.getByLabel('Per month').fill('129.5');
  await drawer.getByLabel('Per seat and month').fill('3');
  await drawer.getByRole('button', { name: 'Add plan' }).click();
  await toast(page, 'Studio was added');
  const grid = page.getByRole('region', { name: 'Plans and what each holds' });
  await grid.getByRole('columnheader', { name: /Studio/ }).waitFor();
  await grid.getByText('€129.50').waitFor();

  await grid.getByRole('button', { name: /^Assign to clients ?: Studio/ }).click();
  await drawer.getByLabel('Search clients').fill('glass');
  await drawer.getByRole('checkbox', { name: /Glasswing Studios/ }).check();
  await drawer.getByText('1 client chosen').waitFor();
  await drawer.getByRole('button', { name: 'Preview' }).click();
  await drawer.getByText(/^1 client moves/).waitFor();
  await drawer.getByText('Observability').waitFor();
  assert.equal((await planOf(context, 'glasswing')).name, before.name, 'a preview changes nothing');
  await drawer.getByRole('button', { name: 'Move 1 client' }).click();
  await drawer.getByText('1 client was moved').waitFor();
  await drawer.getByRole('button', { name: 'Done' }).click();
  assert.equal((await planOf(context, 'glasswing')).name, 'Studio');

  await grid.getByRole('button', { name: 'Studio', exact: true }).click();
  await drawer.getByLabel('Per month').fill('149.5');
  await drawer.getByRole('radio', { name: 'New clients only' }).check();
  await drawer.getByText('1 client keeps what it has').waitFor();
  await drawer.getByRole('button', { name: 'Save' }).click();
  await toast(page, 'Studio is saved');
  await grid.getByText('1 on an older version').waitFor();
  const kept = await planOf(context, 'glasswing');
  assert.deepEqual([kept.number, kept.newest_number], [1, 2]);
  await grid.getByRole('button', { name: /^version 2 ?: Studio/ }).click();
  await drawer.getByRole('heading', { name: /^Version 2/ }).waitFor();
  await drawer.getByRole('heading', { name: /^Version 1/ }).waitFor();
  await drawer.getByRole('button', { name: 'Move clients to the newest' }).click();
  await drawer.getByRole('button', { name: 'Those on Studio' }).click();
  await drawer.getByRole('button', { name: 'Preview' }).click();
  await drawer.getByText('+€20.00').waitFor();
  await drawer.getByRole('button', { name: 'Move 1 client' }).click();
  await drawer.getByText('1 client was moved').waitFor();
  await drawer.getByRole('button', { name: 'Done' }).click();
  assert.equal((await planOf(context, 'glasswing')).number, 2);

  await post(context, '/providers/northwind/plans/assign', { plan: before.id, tenants: ['glasswing'] });
  await page.goto('/tenants/glasswing');
  await settled(page);
  await page.getByText(/Observability is closed; its data is kept until/).waitFor();
  await page.goto('/plans');
  await page.getByRole('button', { name: 'More for Studio' }).click();
  await page.getByRole('menuitem', { name: 'Retire' }).click();
  await drawer.getByRole('button', { name: 'Retire' }).click();
  await toast(page, 'Studio is retired');
  await grid.getByRole('columnheader', { name: /Studio/ }).waitFor({ state: 'detached' });
  quiet(page);
});

test('a client’s own bill, and the provider’s revenue', async (t) => {
  const admin = await enter(t, 'tenant_admin');
  const bills = await get(admin, '/tenants/acme/bills');
  const page = await open(admin, '/t/acme/bill');
  await heading(page, 'Plan & bill');
  await kpi(page, 'Plan').getByText(bills.plan.name).waitFor();
  await rows(page).first().getByText('Running').waitFor();
  await rows(page).first().getByRole('button').click();
  const drawer = page.getByRole('dialog');
  await drawer.getByText('This month is still running').waitFor();
  assert.equal(await rows(drawer).count(), bills.items[0].lines.length);
  assert.equal((await admin.request.get(await page.getByRole('link', { name: 'Export CSV' }).getAttribute('href'))).status(), 200);
  quiet(page);

  const provider = await enter(t, 'provider_admin');
  const revenue = await open(provider, '/revenue?q=acme');
  await settled(revenue);
  await rows(revenue).filter({ hasText: 'Acme Dental Group' }).waitFor();
  await revenue.getByRole('columnheader', { name: /running/ }).waitFor();
  assert.equal((await provider.request.get(await revenue.getByRole('link', { name: 'Export CSV' }).getAttribute('href'))).status(), 200);
  quiet(revenue);
});
