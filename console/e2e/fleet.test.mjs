import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, heading, open, quiet, rows, settled, toast, WAIT_MS, withBrowser } from './hub.mjs';

withBrowser();
const providerOf = async (context) => (await get(context, '/me')).providers[0].slug;

test('a group by condition, a grant over it, and both gone again', async (t) => {
  const context = await enter(t, 'provider_admin');
  const provider = await providerOf(context);
  const page = await open(context, '/groups', { allow: /status of 4/ });
  await settled(page);
  await page.getByRole('button', { name: 'Add group' }).first().click();
  const drawer = page.getByRole('dialog');
  await drawer.getByLabel('Name', { exact: false }).first().fill('Glass and stone');
  await drawer.getByRole('radio', { name: 'By condition' }).check();
  await drawer.getByText('Without a condition nobody is in it.').waitFor();
  await drawer.getByLabel('Name contains').fill('glass');
  const said = await drawer.getByText(/clients (is|are) in it now/).textContent();
  await drawer.getByRole('button', { name: 'Add group' }).click();
  await toast(page, 'Glass and stone is saved');
  const group = (await get(context, `/providers/${provider}/groups?limit=200`)).items.find((g) => g.name === 'Glass and stone');
  assert.ok(said.startsWith(`${group.client_count} of `), `${said} against ${group.client_count}`);
  assert.ok(group.client_count >= 1);

  const technician = (await get(context, `/providers/${provider}/staff?limit=200`)).items.find((s) => s.role === 'technician' && s.state === 'active');
  await page.goto(`/staff/${technician.id}`);
  await settled(page);
  await page.getByRole('button', { name: 'Add wide grant' }).first().click();
  await drawer.getByRole('combobox', { name: 'Group' }).or(drawer.getByLabel('Group', { exact: true })).first().click();
  await page.getByRole('option', { name: /^Glass and stone/ }).click();
  await drawer.getByRole('checkbox', { name: 'Compliance' }).check();
  await drawer.getByRole('button', { name: 'Add wide grant' }).click();
  await toast(page, `The grant for ${technician.person.name} is saved`);
  await page.getByRole('region', { name: 'Wide grants' }).getByRole('link', { name: 'Glass and stone' }).click();
  await heading(page, 'Glass and stone');
  await rows(page).filter({ hasText: technician.person.name }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Delete group' }).getAttribute('aria-disabled'), 'true');

  await page.getByRole('link', { name: technician.person.name }).click();
  await page.getByRole('region', { name: 'Wide grants' }).getByRole('row', { name: /Glass and stone/ }).getByRole('button', { name: 'Remove wide grant' }).click();
  await drawer.getByRole('button', { name: 'Remove wide grant' }).click();
  await toast(page, 'The grant was removed');
  await page.goto(`/groups/${group.id}`);
  await page.getByRole('button', { name: 'Delete group' }).click();
  await drawer.getByRole('button', { name: 'Delete group' }).click();
  await toast(page, 'Glass and stone was deleted');
  await page.waitForURL(/\/groups$/);
  quiet(page);
});

test('a setting of two clients: planned, approved, done, undone', async (t) => {
  const context = await enter(t, 'provider_admin');
  const page = await open(context, '/fleet/new', { allow: /status of 4/ });
  await settled(page);
  const interval = async (slug) => (await get(context, `/tenants/${slug}/settings`)).scan_interval_days;
  const before = [await interval('acme'), await interval('glasswing')];
  await page.getByRole('radio', { name: 'A setting' }).check();
  await page.getByLabel('Value').fill('23');
  await page.getByRole('button', { name: 'Make the plan' }).click();
  await page.getByText('Choose at least one client').waitFor();
  for (const name of ['Acme', 'Glasswing']) { await page.getByLabel('Find a client').fill(name); await page.getByRole('checkbox', { name: new RegExp(`^${name}`) }).first().check(); }
  await page.getByText('Reaches 2 clients').waitFor();
  await page.getByLabel('Reason').fill('Agreed in the yearly review');
  await page.getByRole('button', { name: 'Make the plan' }).click();
  await page.waitForURL(/\/fleet\/(?!new)/);
  await page.getByText('This is a plan. Nothing has changed yet.').waitFor();
  assert.equal(await rows(page).count(), 2);
  assert.deepEqual([await interval('acme'), await interval('glasswing')], before);

  await page.getByRole('button', { name: 'Approve and start' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Approve and start' }).click();
  await page.goto('/fleet');
  await page.getByRole('link', { name: 'Scan interval in days: 23' }).first().click();
  await page.locator('.head').getByText('Done').waitFor({ timeout: WAIT_MS });
  assert.deepEqual([await interval('acme'), await interval('glasswing')], [23, 23]);
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Undo', exact: true }).click();
  await page.locator('.head').getByText('Undone').waitFor({ timeout: WAIT_MS });
  assert.deepEqual([await interval('acme'), await interval('glasswing')], before);
  quiet(page);
});

test('a technician drafts and can’t approve', async (t) => {
  const page = await open(await enter(t, 'technician'), '/fleet');
  await settled(page);
  await heading(page, 'Fleet changes');
  quiet(page);
});
