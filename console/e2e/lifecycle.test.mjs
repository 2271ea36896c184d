import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, heading, open, quiet, settled, toast, url, withBrowser } from './hub.mjs';

withBrowser();
const NAME = 'Zenith Pottery';

test('a client from creation to purge', async (t) => {
  const context = await enter(t, 'provider_admin');
  const page = await open(context, '/tenants');
  await settled(page);
  await page.getByRole('button', { name: 'Add client' }).click();
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('button', { name: 'Add client' }).click();
  await drawer.getByText('Fill this in').first().waitFor();
  await drawer.getByLabel('Name', { exact: false }).first().fill(NAME);
  assert.equal(await drawer.getByLabel('Short name').inputValue(), 'zenith-pottery');
  await drawer.getByRole('combobox', { name: 'Plan' }).or(drawer.getByLabel('Plan')).first().click();
  await page.getByRole('option', { name: /^Essentials/ }).click();
  await drawer.getByLabel('E-mail of the client’s first admin').fill('olive.hart@zenith.example');
  await drawer.getByRole('button', { name: 'Add client' }).click();
  const link = await drawer.getByLabel('Invitation link', { exact: true }).inputValue();
  assert.ok(link.startsWith(`${url}/invite/`), link);

  const guest = await open(await enter(t), link);
  await heading(guest, `Join ${NAME}`);
  await guest.getByText('Priya Nair invites you as Admin.').waitFor();
  await guest.getByLabel('Your name').fill('Olive Hart');
  await guest.getByLabel('Choose a password').fill('short');
  await guest.getByRole('button', { name: 'Accept and continue' }).click();
  await guest.getByText('Use at least 12 characters').waitFor();
  await guest.getByLabel('Choose a password').fill('kiln-glaze-bisque-77');
  await guest.getByRole('button', { name: 'Accept and continue' }).click();
  await guest.waitForURL(/\/t\/zenith-pottery\/overview/);
  await settled(guest);
  quiet(guest);
  const again = await open(await enter(t), link, { allow: /status of 4(04|09)/ });
  await heading(again, 'This invitation is no longer valid');

  await page.goto('/tenants/zenith-pottery');
  await settled(page);
  const act = async (button, reason) => {
    await page.getByRole('button', { name: button, exact: true }).click();
    const ask = page.getByRole('dialog');
    const go = ask.getByRole('button', { name: button, exact: true });
    assert.equal(await go.isDisabled(), true, 'a reason is asked for first');
    await ask.getByLabel('Reason').fill(reason);
    await go.click();
  };
  await act('Suspend', 'Invoice is open');
  await toast(page, `${NAME} is suspended`);
  await page.getByText('Suspended: Invoice is open').waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await toast(page, `${NAME} works again`);
  await act('Archive', 'Contract ended');
  await toast(page, `${NAME} is archived`);
  await page.getByRole('button', { name: 'Purge' }).click();
  const ask = page.getByRole('dialog');
  const purge = ask.getByRole('button', { name: 'Purge' });
  await ask.getByLabel(/to confirm/).fill('Zenith');
  assert.equal(await purge.isDisabled(), true);
  await ask.getByLabel(/to confirm/).fill(NAME);
  await purge.click();
  await toast(page, `${NAME} was purged`);
  await page.waitForURL(/\/tenants$/);
  await settled(page);
  assert.equal(await page.getByRole('link', { name: NAME }).count(), 0);
  quiet(page);
});
