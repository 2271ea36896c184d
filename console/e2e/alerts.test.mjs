import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, heading, open, quiet, rows, settled, toast, WAIT_MS, withBrowser } from './hub.mjs';

withBrowser();
/** What is said is heard a moment later. */
async function until(look) {
  const end = Date.now() + WAIT_MS;
  for (;;) { const found = await look(); if (found) return found; assert.ok(Date.now() < end, 'it did not come in time'); await new Promise((again) => { setTimeout(again, 200); }); }
}

test('alerts of all clients: acknowledged, snoozed, resolved with a reason', async (t) => {
  const context = await enter(t, 'provider_admin');
  const { slug } = (await get(context, '/me')).providers[0];
  const list = () => get(context, `/providers/${slug}/alerts?state=open`);
  await until(async () => (await list()).items.length >= 3);
  const page = await open(context, '/alerts');
  await settled(page);
  await page.getByText(/alerts? (is|are) open/).waitFor();
  const before = (await list()).counts;
  // Alerts of clients where the tier only lets look on are in the list too.
  const mine = (act) => rows(page).filter({ has: page.locator(`button[aria-label^="${act}"]:not([aria-disabled="true"])`) }).first();
  await mine('Acknowledge').getByRole('button', { name: /^Acknowledge/ }).click();
  await toast(page, 'Acknowledged');
  await until(async () => (await list()).counts.acknowledged === before.acknowledged + 1);
  await mine('Snooze').getByRole('button', { name: /^Snooze/ }).click();
  await page.getByRole('menuitem', { name: 'Until tomorrow, 8:00' }).click();
  await toast(page, 'Snoozed until');
  await mine('Snooze').getByRole('button').first().click();
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('button', { name: 'Resolve' }).click();
  await page.getByLabel('Reason').fill('Looked after by phone');
  await page.getByRole('dialog', { name: 'Resolve this alert?' }).getByRole('button', { name: 'Resolve' }).click();
  await toast(page, 'The alert is resolved');
  const after = (await list()).counts;
  assert.equal(after.snoozed, before.snoozed + 1);
  assert.equal(after.resolved, before.resolved + 1);
  await page.goto('/alerts?state=resolved');
  await settled(page);
  assert.ok(await rows(page).count() >= 1);
  quiet(page);
});

test('the bell tells and forgets; rules and webhooks are a person’s own', async (t) => {
  const context = await enter(t, 'provider_admin');
  await until(async () => (await get(context, '/me/notifications')).items.length > 0);
  const page = await open(context, '/');
  await settled(page);
  await page.getByRole('button', { name: /^Notifications/ }).click();
  const list = page.getByRole('dialog', { name: 'Notifications' });
  await list.locator('li').first().waitFor();
  const all = list.getByRole('button', { name: 'Mark all as read' });
  if (await all.isEnabled()) await all.click();
  await until(async () => (await get(context, '/me/notifications')).unread === 0);
  await list.getByRole('link', { name: 'What you are told, and how' }).click();
  await page.getByRole('radio', { name: 'Weekly' }).check();
  await page.getByRole('checkbox', { name: 'Scan is stale: E-mail' }).setChecked(true);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await toast(page, 'Notifications saved');
  const saved = await get(context, '/me/notification-rules');
  assert.equal(saved.digest, 'weekly');
  assert.ok(saved.items.find((r) => r.rule === 'scan_stale').channels.includes('email'));

  await page.getByRole('button', { name: 'Add webhook' }).first().click();
  const drawer = page.getByRole('dialog');
  await drawer.getByLabel('Name').fill('Pager');
  await drawer.getByLabel('Address').fill('https://hooks.example.com/pager');
  await drawer.getByRole('button', { name: 'Add webhook' }).click();
  assert.match(await drawer.getByLabel('Signing secret', { exact: true }).inputValue(), /^whsec_/);
  await drawer.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Pager', exact: true }).click();
  await drawer.getByText('Nothing was sent yet').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Remove: Pager' }).click();
  await drawer.getByRole('button', { name: 'Remove', exact: true }).click();
  await toast(page, 'Pager was removed');
  quiet(page);
});

test('a client sees its own alerts only', async (t) => {
  const page = await open(await enter(t, 'tenant_admin'), '/t/acme/alerts');
  await heading(page, 'Alerts');
  await settled(page);
  assert.equal(await page.getByRole('columnheader', { name: 'Client', exact: true }).count(), 0);
  quiet(page);
});
