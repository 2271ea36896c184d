import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, hire, open, post, quiet, rows, settled, toast, withBrowser } from './hub.mjs';

withBrowser();
const closeToast = async (page) => { await page.locator('.mantine-Notification-root').getByRole('button').first().click(); await page.locator('.mantine-Notification-root').waitFor({ state: 'detached' }); };

test('a preset shows what it would change, changes exactly that, and the old one comes back', async (t) => {
  const context = await enter(t, 'provider_admin');
  const before = await get(context, '/providers/northwind/presets');
  const page = await open(context, '/settings');
  await settled(page);
  const presets = page.getByRole('region', { name: 'Presets' });
  const use = async (key, name) => {
    const { differences } = (await get(context, '/providers/northwind/presets')).items.find((p) => p.key === key);
    await presets.getByRole('button', { name: new RegExp(`^Compare ?: ${name}`) }).click();
    const drawer = page.getByRole('dialog');
    await rows(drawer).first().waitFor();
    assert.equal(await rows(drawer).count(), differences.length);
    await drawer.getByRole('button', { name: /^Apply \d+ change/ }).click();
    await toast(page, `The preset ${name} is in use`);
    await closeToast(page);
    assert.equal((await get(context, '/providers/northwind/presets')).current, key);
  };
  assert.equal(before.current, 'strict');
  await use('compliance', 'Compliance');
  await page.getByRole('button', { name: 'Add client' }).waitFor({ state: 'detached' });
  const adding = page.getByRole('listitem').filter({ has: page.getByRole('combobox', { name: 'Adding clients' }) });
  assert.equal(await adding.getByRole('combobox').inputValue(), 'Only the operator');
  await adding.getByText('From the preset').waitFor();
  await use('strict', 'Strict');
  assert.equal(await adding.getByRole('combobox').inputValue(), 'Provider admins');
  quiet(page);
});

test('a setting: bounds, saved, its layer, and back to what is inherited', async (t) => {
  const context = await enter(t, 'provider_admin');
  const page = await open(context, '/settings');
  await settled(page);
  const row = page.getByRole('listitem').filter({ has: page.getByRole('textbox', { name: 'Not one of the last' }) });
  const field = row.getByRole('textbox');
  await field.fill('99');
  await row.getByText('A whole number from 0 to 24').waitFor();
  await field.fill('5');
  await page.getByRole('button', { name: 'Save 1 change' }).click();
  await toast(page, 'Settings saved');
  await closeToast(page);
  await row.getByText('Set here').waitFor();
  await row.getByRole('button', { name: 'As inherited: Not one of the last' }).click();
  await page.getByRole('button', { name: 'Save 1 change' }).click();
  await toast(page, 'Settings saved');
  await row.getByText(/^(Default|From the preset)$/).waitFor();

  await page.goto('/tenants/acme');
  await settled(page);
  const own = page.getByRole('region', { name: 'Settings for this client' });
  await own.getByRole('combobox', { name: 'How provider admins reach clients' }).waitFor();
  quiet(page);
});

test('somebody of the staff leaves: what moves, what ends, in one act', async (t) => {
  const context = await enter(t, 'provider_admin');
  const { staff, context: theirs } = await hire(t, context, { name: 'Ines Albrecht', email: 'ines.albrecht@northwind.example', role: 'technician' });
  await post(context, '/providers/northwind/assignments', { staff: staff.id, tenant: 'glasswing', tier: 'T1', mask: { view: true, create: true, update: true, delete: true }, modules: ['compliance'], ends_at: null });
  const page = await open(context, `/staff/${staff.id}`);
  await settled(page);
  await page.getByRole('button', { name: 'Leaving', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Ines Albrecht leaves' }).waitFor();
  const held = rows(page).filter({ hasText: 'Glasswing Studios' });
  await held.getByRole('combobox').first().click();
  await page.getByRole('option', { name: 'Move' }).click();
  const go = page.getByRole('button', { name: 'Let Ines Albrecht leave' });
  assert.equal(await go.getAttribute('aria-disabled'), 'true', 'to whom is asked first');
  const { items } = await get(context, '/providers/northwind/staff?role=technician&state=active&limit=200');
  const taken = (await get(context, '/providers/northwind/assignments?tenant=glasswing&limit=200')).items.map((a) => a.staff.id);
  const heir = items.find((s) => s.id !== staff.id && !taken.includes(s.id));
  await held.getByRole('combobox').nth(1).click();
  await page.getByRole('option', { name: heir.person.name }).click();
  await go.click();
  const ask = page.getByRole('dialog');
  await ask.getByLabel(/to confirm/).fill('Ines Albrecht');
  await ask.getByRole('button', { name: 'Let Ines Albrecht leave' }).click();
  await page.getByRole('heading', { level: 1, name: 'Ines Albrecht has left' }).waitFor();
  await rows(page).filter({ hasText: 'Glasswing Studios' }).getByText(/^(Moved|Waits for consent)$/).waitFor();
  assert.equal((await get(context, `/providers/northwind/staff/${staff.id}`)).state, 'disabled');
  assert.equal((await theirs.request.get('/api/v1/providers/northwind')).ok(), false, 'their session is over');
  quiet(page);
});
