import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, heading, open, quiet, settled, toast, withBrowser } from './hub.mjs';

withBrowser();
const brandColour = (page) => page.evaluate(() => getComputedStyle(document.documentElement).getPropertyValue('--brand').trim());
const providerOf = async (context) => (await get(context, '/me')).providers[0].slug;
const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="32" viewBox="0 0 120 32"><script>alert(1)</script><rect width="120" height="32" fill="#7c3aed"/></svg>';

test('the brand: name, colour and logo are published, shown, and taken back', async (t) => {
  const context = await enter(t, 'provider_admin');
  const provider = await providerOf(context);
  const before = await get(context, `/providers/${provider}/brand`);
  const takeBack = async () => { const now = await get(context, `/providers/${provider}/brand`); await context.request.patch(`/api/v1/providers/${provider}/brand`, { data: before.own, headers: { 'if-match': `"${now.version}"` } }); };
  const page = await open(context, '/branding', { allow: /status of 4/ });
  await settled(page);
  await page.getByLabel('Brand colour', { exact: true }).fill('purple');
  await page.getByLabel('Application name').click();
  await page.getByText('Write a colour like #0f766e').waitFor();
  await page.getByLabel('Brand colour', { exact: true }).fill('#7c3aed');
  await page.getByText(/White text on it has a contrast of 5\.\d+:1/).waitFor();
  await page.getByLabel('Application name').fill('Northwind Portal');
  await page.locator('input[type=file]').first().setInputFiles({ name: 'logo.svg', mimeType: 'image/svg+xml', buffer: Buffer.from(LOGO) });
  await page.getByRole('img', { name: 'Logo', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Publish' }).click();
  await toast(page, 'The brand is published');
  const { brand } = await get(context, `/providers/${provider}/brand`);
  assert.equal(brand.name, 'Northwind Portal');
  assert.equal(brand.colours.brand, '#7c3aed');
  assert.ok(brand.logo.light);
  const picture = await context.request.get(brand.logo.light);
  assert.ok(!(await picture.text()).includes('script'), 'nothing that runs is left in it');

  // Before anybody has signed in, and inside.
  const door = await open(await enter(t), '/sign-in', { allow: /status of 401/ });
  await door.locator('.brandrow').getByText('Northwind Portal').waitFor();
  assert.equal(await brandColour(door), '#7c3aed');
  assert.match(await door.title(), /Northwind Portal$/);
  assert.ok(await door.locator('.brandrow img').count());
  await page.goto('/');
  await settled(page);
  await page.locator('.side .brandrow').getByText('Northwind Portal').waitFor();
  assert.equal(await brandColour(page), '#7c3aed');
  quiet(door);
  quiet(page);
  await takeBack();
});

test('a locked brand can be looked at and not changed', async (t) => {
  const admin = await enter(t, 'provider_admin');
  const provider = await providerOf(admin);
  const rule = async (tenant_branding) => {
    const { version } = await get(admin, `/providers/${provider}/settings`);
    const answer = await admin.request.patch(`/api/v1/providers/${provider}/settings`, { data: { settings: { tenant_branding } }, headers: { 'if-match': `"${version}"` } });
    assert.ok(answer.ok(), await answer.text());
  };
  await rule('locked');
  const page = await open(await enter(t, 'tenant_admin'), '/t/acme/branding');
  await settled(page);
  await page.getByText(/has set one brand for/).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Publish' }).getAttribute('aria-disabled'), 'true');
  assert.equal(await page.getByLabel('Application name').getAttribute('readonly'), '');
  await rule(null);
  await page.reload();
  await settled(page);
  await page.getByLabel('Application name').fill('Acme Portal');
  await page.getByRole('button', { name: 'Discard' }).click();
  assert.notEqual(await page.getByLabel('Application name').inputValue(), 'Acme Portal');
  quiet(page);
});

test('host names are added and removed', async (t) => {
  const page = await open(await enter(t, 'provider_admin'), '/branding', { allow: /status of 4/ });
  await settled(page);
  await page.getByRole('button', { name: 'Add host name' }).first().click();
  const drawer = page.getByRole('dialog');
  await drawer.getByLabel('Host name').fill('not a host');
  await drawer.getByRole('button', { name: 'Add host name' }).click();
  await drawer.getByText('Write a whole host name').waitFor();
  await drawer.getByLabel('Host name').fill('desk.northwind-e2e.example');
  await drawer.getByRole('button', { name: 'Add host name' }).click();
  await toast(page, 'desk.northwind-e2e.example was added');
  await page.getByRole('button', { name: 'Remove: desk.northwind-e2e.example' }).click();
  await drawer.getByRole('button', { name: 'Remove', exact: true }).click();
  await toast(page, 'The host name was removed');
  await heading(page, 'Branding');
  quiet(page);
});
