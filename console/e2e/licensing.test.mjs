import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, heading, kpi, open, quiet, rows, settled, toast, withBrowser } from './hub.mjs';

withBrowser();

test('licensing: a limit of its own blocks the next invitation, and the plan’s comes back', async (t) => {
  const context = await enter(t, 'provider_admin');
  const { kpis, items } = await get(context, '/providers/northwind/licensing?limit=200');
  const page = await open(context, '/licensing?q=acme');
  await heading(page, 'Licensing');
  await kpi(page, 'Client organisations').getByText(String(kpis.organisations), { exact: true }).waitFor();
  await page.getByRole('img', { name: 'Users against capacity, last 12 months' }).waitFor();
  const row = rows(page).filter({ hasText: 'Acme Dental Group' });
  const { used } = items.find((i) => i.tenant.slug === 'acme').limits.seats;
  const edit = async (change) => {
    await page.getByRole('button', { name: 'Edit the licence of Acme Dental Group' }).click();
    const drawer = page.getByRole('dialog');
    const seats = drawer.getByRole('group', { name: 'Seats' });
    await change(drawer, seats);
    await drawer.getByRole('button', { name: 'Save licence' }).click();
    await toast(page, 'The licence of Acme Dental Group is saved');
    await page.locator('.mantine-Notification-root').getByRole('button').first().click();
    await page.locator('.mantine-Notification-root').waitFor({ state: 'detached' });
  };
  await edit(async (drawer, seats) => {
    await seats.getByRole('radio', { name: 'Own limit' }).check();
    await seats.getByLabel('Own limit: Seats').fill(String(used));
    await seats.getByRole('combobox').click();
    await page.getByRole('option', { name: /^Block/ }).click();
  });
  await row.getByText(`${used} of ${used}`).waitFor();
  await row.getByText('Block', { exact: true }).waitFor();

  const admin = await open(await enter(t, 'tenant_admin'), '/t/acme/members?invite=member', { allow: /status of 409/ });
  await settled(admin);
  const drawer = admin.getByRole('dialog');
  await drawer.getByLabel('E-mail').fill('one.too.many@acme.example');
  await drawer.getByRole('button', { name: /invitation/i }).click();
  await drawer.getByRole('alert').getByText(/seat/i).waitFor();
  quiet(admin);

  await edit(async (_, seats) => {
    await seats.getByRole('radio', { name: 'As the plan says' }).check();
    await seats.getByRole('combobox').click();
    await page.getByRole('option', { name: 'As in Settings' }).click();
  });
  const now = (await get(context, '/providers/northwind/licensing?q=acme')).items.find((i) => i.tenant.slug === 'acme');
  assert.equal(now.limits.seats.own, false);
  await page.getByRole('button', { name: 'Show as table' }).click();
  await page.getByRole('columnheader', { name: 'Seat capacity' }).waitFor();
  assert.equal((await context.request.get(await page.getByRole('link', { name: 'Export CSV' }).getAttribute('href'))).status(), 200);
  quiet(page);
});

test('a technician sees the licences of assigned clients, and changes none', async (t) => {
  const context = await enter(t, 'technician_t3');
  const page = await open(context, '/licensing');
  await settled(page);
  const { total } = await get(context, '/providers/northwind/licensing');
  assert.equal(await rows(page).count(), total);
  assert.equal(await page.getByRole('button', { name: /^Edit the licence of/ }).first().getAttribute('aria-disabled'), 'true');
  quiet(page);
});
