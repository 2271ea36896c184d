import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, open, quiet, rows, settled, withBrowser } from './hub.mjs';

withBrowser();
const resources = async (context, slug) => new Set((await get(context, `/tenants/${slug}/findings?limit=200`)).items.map((f) => f.resource.name ?? f.resource.uid));
const shown = (page) => page.locator('td[data-label=Resource]').allTextContents();
const bar = (page, name) => page.getByRole('region', { name: `You are working in the data of ${name}` });

test('two tabs hold two tenants; the switcher keeps the page and leaves nothing of the old tenant', async (t) => {
  const context = await enter(t, 'provider_admin');
  const [acme, dunmore] = await Promise.all([resources(context, 'acme'), resources(context, 'dunmore')]);
  const left = await open(context, '/t/acme/findings');
  const right = await open(context, '/t/dunmore/findings');
  const own = async (page, name, set, other) => {
    await settled(page);
    await rows(page).first().waitFor();
    await bar(page, name).waitFor();
    const cells = await shown(page);
    assert.ok(cells.length > 0 && cells.every((c) => set.has(c)), `${name} shows its own resources`);
    assert.ok(cells.some((c) => !other.has(c)), `${name}'s rows can be told from the other's`);
  };
  await own(left, 'Acme Dental Group', acme, dunmore);
  await own(right, 'Dunmore County Council', dunmore, acme);
  await left.reload();
  await own(left, 'Acme Dental Group', acme, dunmore);
  await right.reload();
  await own(right, 'Dunmore County Council', dunmore, acme);

  // The new tenant's list is held back: while it is awaited, nothing of the old one may stand there.
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await left.route('**/api/v1/tenants/dunmore/findings?*', async (route) => { await held; await route.continue(); });
  await left.keyboard.press('Control+o');
  await left.getByRole('combobox', { name: 'Find an organisation' }).fill('dunm');
  await left.locator('#sw-0', { hasText: 'Dunmore County Council' }).waitFor();
  await left.keyboard.press('Enter');
  await left.waitForURL(/\/t\/dunmore\/findings$/);
  await bar(left, 'Dunmore County Council').waitFor();
  await left.locator('.table-box[aria-busy=true]').waitFor();
  assert.deepEqual(await shown(left), [], 'no row while the new ones load');
  assert.ok(!(await left.locator('main').innerText()).includes('acme'), 'nothing of Acme on the page');
  release();
  await own(left, 'Dunmore County Council', dunmore, acme);
  await left.goBack();
  await own(left, 'Acme Dental Group', acme, dunmore);
  quiet(left);
  quiet(right);
});

test('a member sees no context bar and only the own organisation', async (t) => {
  const page = await open(await enter(t, 'tenant_admin'), '/');
  await page.waitForURL(/\/t\/acme\/overview/);
  await settled(page);
  assert.equal(await page.locator('.banner').count(), 0);
  quiet(page);
  const lost = await open(page.context(), '/t/dunmore/findings', { allow: /status of 404/ });
  await lost.getByRole('heading', { name: 'Client not found' }).waitFor();
  assert.equal(await rows(lost).count(), 0);
  quiet(lost);
});
