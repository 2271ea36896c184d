import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, heading, hire, noToasts, open, patch, quiet, settled, toast, url, withBrowser } from './hub.mjs';

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
  const onboarding = page.getByRole('region', { name: 'Onboarding' });
  await onboarding.getByText('An admin of its own').waitFor();
  await onboarding.getByRole('button', { name: /^Skip ?: First scan/ }).click();
  await onboarding.getByRole('button', { name: /^Needed after all ?: First scan/ }).click();
  await onboarding.getByRole('button', { name: /^Skip ?: First scan/ }).waitFor();

  await act('Put on legal hold', 'Litigation 22/417');
  await toast(page, `${NAME} is on legal hold`);
  await page.getByRole('heading', { name: 'On legal hold' }).waitFor();
  await guest.goto('/t/zenith-pottery/offboarding');
  await guest.getByText('Litigation 22/417').waitFor();

  // Without a window to wait for: the second person is needed all the same.
  const settings = await get(context, '/providers/northwind/settings');
  await patch(context, '/providers/northwind/settings', { settings: { immediate_purge: true } }, settings.version);
  await act('Archive', 'Contract ended');
  await toast(page, `${NAME} is archived`);
  assert.equal(await page.getByRole('button', { name: 'Ask for the purge' }).getAttribute('aria-disabled'), 'true', 'a hold stands against it');
  await act('Release', 'Settled');
  await toast(page, `${NAME} is released`);
  await noToasts(page);
  await page.getByRole('button', { name: 'Ask for the purge' }).click();
  const wish = page.getByRole('dialog');
  await wish.getByLabel('Reason').fill('Contract ended in October');
  await wish.getByLabel(/to confirm/).fill(NAME);
  await wish.getByRole('button', { name: 'Ask for the purge' }).click();
  await toast(page, `Another provider admin can purge ${NAME} now`);
  const own = page.getByRole('button', { name: 'Purge', exact: true });
  assert.equal(await own.getAttribute('aria-disabled'), 'true', 'nobody does it alone');
  await page.getByRole('button', { name: 'Withdraw' }).click();
  await toast(page, 'The request is withdrawn');
  await noToasts(page);
  await page.getByRole('button', { name: 'Ask for the purge' }).click();
  await wish.getByLabel('Reason').fill('Contract ended in October');
  await wish.getByLabel(/to confirm/).fill(NAME);
  await wish.getByRole('button', { name: 'Ask for the purge' }).click();
  await page.getByText('Waits for a second person').waitFor();

  await guest.goto('/t/zenith-pottery');
  await heading(guest, 'Off-boarding');
  await guest.getByText('The purge is asked for').waitFor();

  const second = await hire(t, context, { name: 'Vera Lindqvist', email: 'vera.lindqvist@northwind.example', role: 'provider_admin' });
  const other = await open(second.context, '/tenants/zenith-pottery');
  await settled(other);
  await other.getByText('Contract ended in October').waitFor();
  await other.getByRole('button', { name: 'Purge', exact: true }).click();
  const ask = other.getByRole('dialog');
  const purge = ask.getByRole('button', { name: 'Purge' });
  await ask.getByLabel(/to confirm/).fill('Zenith');
  assert.equal(await purge.isDisabled(), true);
  await ask.getByLabel(/to confirm/).fill(NAME);
  await purge.click();
  await toast(other, `${NAME} was purged`);
  await other.waitForURL(/\/tenants$/);
  await settled(other);
  assert.equal(await other.getByRole('link', { name: NAME }).count(), 0);
  const after = await get(context, '/providers/northwind/settings');
  await patch(context, '/providers/northwind/settings', { settings: { immediate_purge: null } }, after.version);
  for (const p of [page, other]) quiet(p);
});
