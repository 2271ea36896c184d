import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, open, quiet, rows, settled, toast, withBrowser } from './hub.mjs';

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
