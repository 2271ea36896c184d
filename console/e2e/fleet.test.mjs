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

test('two clients are suspended: planned, approved, done, undone', async (t) => {
  const context = await enter(t, 'provider_admin');
  const provider = await providerOf(context);
  const [a, b] = (await get(context, `/providers/${provider}/clients?limit=200&sort=name`)).items.filter((c) => c.state === 'active' && c.slug !== 'acme');
  const states = async () => [(await get(context, `/providers/${provider}/tenants/${a.slug}`)).state, (await get(context, `/providers/${provider}/tenants/${b.slug}`)).state];
  const page = await open(context, '/fleet/new', { allow: /status of 4/ });
  await settled(page);
  await page.getByRole('radio', { name: 'Suspend' }).check();
  await page.getByRole('button', { name: 'Make the plan' }).click();
  await page.getByText('Choose at least one client').waitFor();
  for (const { name } of [a, b]) { await page.getByLabel('Find a client').fill(name); await page.getByRole('checkbox', { name, exact: true }).check(); }
  await page.getByText('Reaches 2 clients').waitFor();
  await page.getByLabel('Reason').fill('Building works at the weekend');
  await page.getByRole('button', { name: 'Make the plan' }).click();
  await page.waitForURL(/\/fleet\/(?!new)/);
  await page.getByText('This is a plan. Nothing has changed yet.').waitFor();
  assert.equal(await rows(page).count(), 2);
  assert.deepEqual(await states(), ['active', 'active']);

  // It goes on while nobody looks, and is found again.
  await page.getByRole('button', { name: 'Approve and start' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Approve and start' }).click();
  await toast(page, 'The change has started');
  await page.goto('/fleet');
  await rows(page).filter({ hasText: 'Building works at the weekend' }).getByRole('link').click();
  await page.locator('.head').getByText('Done', { exact: true }).waitFor({ timeout: WAIT_MS });
  assert.deepEqual(await states(), ['suspended', 'suspended']);
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Undo', exact: true }).click();
  await page.locator('.head').getByText('Undone', { exact: true }).waitFor({ timeout: WAIT_MS });
  assert.deepEqual(await states(), ['active', 'active']);
  quiet(page);
});

test('a technician drafts and can’t approve', async (t) => {
  const page = await open(await enter(t, 'technician_t1'), '/fleet');
  await settled(page);
  await heading(page, 'Fleet changes');
  quiet(page);
});
