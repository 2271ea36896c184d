import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, open, person, quiet, rows, settled, toast, withBrowser } from './hub.mjs';

withBrowser();

test('an elevation: asked for, approved by somebody else, the disabled button works, ended, disabled again', async (t) => {
  const provider = await enter(t, 'provider_admin');
  const page = await open(provider, '/requests?tab=templates');
  await settled(page);
  await page.getByRole('button', { name: 'Add template' }).first().click();
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('textbox', { name: 'Name' }).fill('Findings duty');
  await drawer.getByRole('combobox', { name: 'Tier' }).or(drawer.getByLabel('Tier')).first().click();
  await page.getByRole('option', { name: /^T2 / }).click();
  await drawer.getByRole('checkbox', { name: 'Compliance', exact: true }).last().check();
  await drawer.getByRole('button', { name: 'Add template' }).click();
  await toast(page, 'Findings duty is saved');
  await rows(page).filter({ hasText: 'Findings duty' }).waitFor();

  // Who only looks sees the button, and why it does nothing.
  const tech = await enter(t, 'technician_t1');
  const tab = await open(tech, '/t/acme/findings?assignee=none');
  await settled(tab);
  await rows(tab).first().getByRole('button').first().click();
  const take = tab.getByRole('dialog').getByRole('button', { name: 'Assign to me' });
  const off = tab.locator('[aria-disabled=true]', { hasText: 'Assign to me' });
  await take.waitFor();
  assert.equal(await take.getAttribute('aria-disabled'), 'true');

  const asks = await open(tech, '/requests?ask=elevation&tenant=acme');
  await settled(asks);
  const form = asks.getByRole('dialog');
  await form.getByRole('combobox', { name: 'Template' }).or(form.getByLabel('Template')).first().click();
  await asks.getByRole('option', { name: 'Findings duty' }).click();
  await form.getByRole('button', { name: 'Send request' }).click();
  await form.getByText('Write at least 5 characters').waitFor();
  await form.getByLabel('Reason').fill('Weekend duty for the findings of Acme');
  await form.getByRole('button', { name: 'Send request' }).click();
  await toast(asks, 'is on its way');
  await rows(asks).filter({ hasText: 'Findings duty' }).getByText('Requested').waitFor();

  const name = person('technician_t1').name;
  await page.goto('/requests?state=requested');
  await settled(page);
  const row = rows(page).filter({ hasText: 'Findings duty' }).filter({ hasText: name });
  await row.getByRole('button', { name: /^Approve/ }).click();
  await drawer.getByRole('button', { name: 'Approve' }).click();
  await toast(page, `Approved for ${name}`);

  // The open tab hears of it: the button works, the bar counts down.
  await off.waitFor({ state: 'detached' });
  await tab.locator('.elevated', { hasText: 'T2 until' }).waitFor();
  await take.click();
  await toast(tab, 'The finding is yours');
  await tab.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
  await toast(tab, 'The finding has nobody now');

  await page.goto('/requests?state=running');
  await settled(page);
  await row.getByRole('button', { name: /^End/ }).click();
  await drawer.getByRole('button', { name: 'End' }).click();
  await toast(page, 'Ended');
  await off.waitFor();
  await tab.locator('.elevated').waitFor({ state: 'detached' });
  const own = (await get(tech, '/providers/northwind/elevations/own')).items.find((e) => e.template.name === 'Findings duty');
  assert.equal(own.state, 'ended');
  for (const p of [page, tab, asks]) quiet(p);
});

test('nobody approves their own request; it is withdrawn, and the month\'s report has it', async (t) => {
  const provider = await enter(t, 'provider_admin');
  const page = await open(provider, '/requests?ask=elevation&tenant=acme');
  await settled(page);
  const form = page.getByRole('dialog');
  await form.getByRole('combobox', { name: 'Template' }).or(form.getByLabel('Template')).first().click();
  await page.getByRole('option', { name: 'Findings duty' }).click();
  await form.getByLabel('Reason').fill('To see whether I could');
  await form.getByRole('button', { name: 'Send request' }).click();
  await toast(page, 'is on its way');
  const mine = rows(page).filter({ hasText: 'To see whether I could' });
  const approve = mine.getByRole('button', { name: /^Approve/ });
  assert.equal(await approve.getAttribute('aria-disabled'), 'true');
  assert.match(await page.locator(`[id="${await approve.getAttribute('aria-describedby')}"]`).textContent(), /own request/);
  await mine.getByRole('button', { name: /^Withdraw/ }).click();
  await form.getByRole('button', { name: 'Withdraw' }).click();
  await mine.getByText('Cancelled').waitFor();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download CSV' }).click();
  const file = await (await download).createReadStream();
  let csv = '';
  for await (const chunk of file) csv += chunk;
  assert.ok(csv.includes('Findings duty'), csv.slice(0, 400));
  quiet(page);
});
