import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, heading, open, quiet, rows, settled, toast, withBrowser } from './hub.mjs';

withBrowser();

test('a technician is invited, assigned, enters only that client, and loses it', async (t) => {
  const context = await enter(t, 'provider_admin');
  const page = await open(context, '/staff');
  await settled(page);
  await page.getByRole('button', { name: 'Invite staff' }).click();
  const drawer = page.getByRole('dialog');
  await drawer.getByLabel('E-mail').fill('nils.berg@northwind.example');
  await drawer.getByRole('button', { name: 'Create invitation' }).click();
  const link = await drawer.getByLabel('Invitation link', { exact: true }).inputValue();
  await drawer.getByRole('button', { name: 'Done' }).click();

  const nils = await open(await enter(t), link, { allow: /status of 404/ });
  await nils.getByLabel('Your name').fill('Nils Berg');
  await nils.getByLabel('Choose a password').fill('granite-otter-sails-31');
  await nils.getByRole('button', { name: 'Accept and continue' }).click();
  await heading(nils, 'Client dashboard');
  await nils.getByText('No client is assigned to you yet.').waitFor();

  await page.reload();
  await page.getByRole('link', { name: 'Nils Berg' }).click();
  await heading(page, 'Nils Berg');
  await page.getByRole('button', { name: 'Add assignment' }).first().click();
  await drawer.getByRole('combobox', { name: 'Client' }).or(drawer.getByLabel('Client')).first().fill('glass');
  await page.getByRole('option', { name: 'Glasswing Studios' }).click();
  await drawer.getByRole('checkbox', { name: 'Compliance' }).and(drawer.locator(':checked')).waitFor();
  await drawer.getByRole('button', { name: 'Add assignment' }).click();
  await toast(page, 'Assigned to Glasswing Studios');
  await rows(page).filter({ hasText: 'Glasswing Studios' }).getByText('T1 Monitor').waitFor();
  await page.getByRole('button', { name: 'Assignment to Glasswing Studios' }).click();
  await drawer.getByLabel('Delete').uncheck();
  await drawer.getByRole('button', { name: 'Save' }).click();
  await toast(page, 'Assignment saved');

  await nils.goto('/');
  await settled(nils);
  assert.equal(await nils.getByRole('article').count(), 1);
  await nils.getByRole('link', { name: 'Glasswing Studios' }).click();
  await heading(nils, 'Overview');
  await nils.goto('/t/acme/overview');
  await nils.getByRole('heading', { name: 'Client not found' }).waitFor();

  await page.getByRole('button', { name: 'Remove assignment: Glasswing Studios' }).click();
  await drawer.getByRole('button', { name: 'Remove assignment' }).click();
  await toast(page, 'Assignment removed');
  await nils.goto('/t/glasswing/overview');
  await nils.getByRole('heading', { name: 'Client not found' }).waitFor();
  await page.getByRole('button', { name: 'Disable' }).click();
  await drawer.getByRole('button', { name: 'Disable' }).click();
  await toast(page, 'Nils Berg is disabled');
  await nils.goto('/');
  await nils.getByRole('heading', { level: 1, name: /Nothing here for you yet|Sign in/ }).waitFor();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  const typed = drawer.getByLabel(/to confirm/);
  if (await typed.count()) await typed.fill('Nils Berg');
  await drawer.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.waitForURL(/\/staff$/);
  await page.getByRole('link', { name: 'Nils Berg' }).waitFor({ state: 'detached' });
  await settled(page);
  quiet(page);
});

test('members: a role changes and is undone, one is invited and the invitation revoked', async (t) => {
  const context = await enter(t, 'tenant_admin');
  const page = await open(context, '/t/acme/members');
  await settled(page);
  const role = async () => (await get(context, '/tenants/acme/members?limit=200')).items.find((m) => m.person.name === 'Noor Rahman').role;
  await page.getByRole('button', { name: 'More for Noor Rahman' }).click();
  await page.getByRole('menuitem', { name: 'Make Auditor' }).click();
  await toast(page, 'Noor Rahman is Auditor now');
  assert.equal(await role(), 'auditor');
  await page.getByRole('button', { name: 'Undo' }).click();
  await rows(page).filter({ hasText: 'Noor Rahman' }).getByText('Viewer').waitFor();
  assert.equal(await role(), 'viewer');
  // The last admin stays.
  await page.getByRole('button', { name: 'More for Dana Whitlock' }).click();
  assert.equal(await page.getByRole('menuitem', { name: /^Disable/ }).getAttribute('aria-disabled'), 'true');
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Invite member' }).click();
  const drawer = page.getByRole('dialog');
  await drawer.getByLabel('E-mail').fill('pia.lund@acme.example');
  await drawer.getByRole('button', { name: 'Create invitation' }).click();
  await drawer.getByLabel('Invitation link', { exact: true }).waitFor();
  await drawer.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('tab', { name: 'Invitations' }).click();
  await page.getByRole('button', { name: /^Revoke.*pia\.lund@acme\.example/ }).click();
  await drawer.getByRole('button', { name: 'Revoke' }).click();
  await toast(page, 'The invitation was revoked');
  await rows(page).filter({ hasText: 'pia.lund@acme.example' }).getByText('Revoked').waitFor();
  quiet(page);
});

test('settings and access are saved, and again; who is late is told', async (t) => {
  const context = await enter(t, 'provider_admin');
  const page = await open(context, '/settings', { allow: /status of 422/ });
  for (const choice of ['Only the role', 'Staff by name']) {
    await page.getByRole('combobox', { name: 'What clients see of your staff' }).click();
    await page.getByRole('option', { name: choice }).click();
    await page.getByRole('button', { name: 'Save 1 change' }).click();
    await toast(page, 'Settings saved');
    await page.locator('.mantine-Notification-root').getByRole('button').first().click();
    await page.locator('.mantine-Notification-root').waitFor({ state: 'detached' });
  }
  await page.goto('/t/acme/settings');
  await page.getByLabel('Scan interval').fill('9');
  await page.getByRole('button', { name: 'Save settings' }).click();
  await toast(page, 'Settings saved');
  assert.equal((await get(context, '/tenants/acme/settings')).scan_interval_days, 9);

  await page.goto('/tenants/dunmore');
  await page.getByRole('button', { name: 'Edit', exact: true }).click();
  const drawer = page.getByRole('dialog');
  await drawer.getByLabel('Industry').fill('Public sector');
  await drawer.getByRole('button', { name: 'Save' }).click();
  await page.locator('dd').filter({ hasText: 'Public sector' }).waitFor();
  await page.getByRole('button', { name: 'Change access' }).click();
  await drawer.getByLabel('Access ends on').fill('2099-12-31');
  await drawer.getByRole('button', { name: 'Save' }).click();
  await drawer.getByText('May be at most').waitFor();
  const year = new Date().getFullYear() + 2;
  await drawer.getByLabel('Access ends on').fill(`${year}-06-30`);
  await drawer.getByRole('button', { name: 'Save' }).click();
  await page.locator('dd').filter({ hasText: `30 Jun ${year}` }).waitFor();
  quiet(page);

  // Somebody else was faster: nothing is overwritten, the person is told.
  const late = await open(context, '/tenants/dunmore', { allow: /status of 412/ });
  await late.getByRole('button', { name: 'Edit', exact: true }).click();
  await late.getByRole('dialog').getByLabel('Industry').fill('Late');
  const { version } = await get(context, '/providers/northwind/tenants/dunmore');
  const faster = await context.request.patch('/api/v1/providers/northwind/tenants/dunmore', { data: { industry: 'Council' }, headers: { 'if-match': `"${version}"` } });
  assert.equal(faster.status(), 200, await faster.text());
  await late.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  await toast(late, 'Somebody changed this meanwhile');
  assert.equal((await get(context, '/providers/northwind/tenants/dunmore')).industry, 'Council');
  quiet(late);
});

test('German: the whole shell follows the person', async (t) => {
  const context = await enter(t, 'operator');
  const page = await open(context, '/account');
  await settled(page);
  await page.getByRole('combobox', { name: 'Language' }).or(page.getByLabel('Language')).first().click();
  await page.getByRole('option', { name: 'Deutsch' }).click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('html[lang=de]').waitFor();
  await page.goto('/t/acme/findings');
  await heading(page, 'Befunde');
  quiet(page);
});
