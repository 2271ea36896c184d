import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { enter, get, kpi, open, quiet, rows, settled, withBrowser } from './hub.mjs';

withBrowser();
const CLIENTS = '/providers/northwind/clients';

test('the dashboard says what the API says, and searches', async (t) => {
  const context = await enter(t, 'provider_admin');
  const { kpis, counts, items } = await get(context, CLIENTS);
  const page = await open(context, '/');
  await settled(page);
  assert.ok((await kpi(page, 'Average compliance').textContent()).includes(`${Math.round(kpis.average_score)}%`));
  assert.ok((await kpi(page, 'Critical controls failing').textContent()).includes(`${kpis.critical}in ${kpis.critical_clients} clients`));
  assert.ok((await kpi(page, 'High controls failing').textContent()).endsWith(String(kpis.high)));
  assert.ok((await kpi(page, 'Stale or missing scans').textContent()).includes(String(kpis.stale + kpis.never)));
  await page.getByText(`${counts.attention} of ${counts.all} clients need attention`).waitFor();
  const cards = page.getByRole('article');
  assert.equal(await cards.count(), items.length);
  assert.deepEqual(await cards.evaluateAll((all) => all.map((c) => c.getAttribute('aria-label'))), items.map((c) => c.name), 'the order is the API\'s');

  await page.getByLabel('Search clients').fill('dunm');
  await page.waitForURL(/q=dunm/);
  await page.getByRole('article', { name: 'Acme Dental Group' }).waitFor({ state: 'detached' });
  assert.equal(await cards.count(), 1);
  await page.getByRole('link', { name: 'Dunmore County Council' }).click();
  await page.waitForURL(/\/t\/dunmore\/overview/);
  quiet(page);
});

test('filter chip, table, sort, CSV; the address carries all of it', async (t) => {
  const context = await enter(t, 'provider_admin');
  const attention = await get(context, `${CLIENTS}?filter=attention`);
  const page = await open(context, '/');
  await settled(page);
  await page.getByRole('button', { name: /^Needs attention/ }).click();
  await page.waitForURL(/filter=attention/);
  await page.getByRole('article', { name: 'Tidewater Marine' }).waitFor({ state: 'detached' });
  assert.equal(await page.getByRole('button', { name: /^Needs attention/ }).getAttribute('aria-pressed'), 'true');
  await page.getByRole('radiogroup', { name: 'View' }).locator('label').nth(1).click();
  await page.getByRole('table').waitFor();
  assert.equal(await rows(page).count(), attention.total);
  const names = () => page.locator('tbody td:first-child a, tbody td:first-child .semi').allTextContents();
  await page.getByRole('columnheader', { name: 'Client' }).getByRole('button').click();
  await page.getByRole('columnheader', { name: 'Client' }).and(page.locator('[aria-sort=ascending]')).waitFor();
  await page.locator('.tbl:not(.stale)').waitFor();
  const sorted = attention.items.map((c) => c.name).toSorted();
  assert.deepEqual((await names()).map((n) => n.split(' (')[0]), sorted);

  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Export' }).click();
  const csv = readFileSync(await (await download).path(), 'utf8').trim().split(/\r?\n/);
  assert.match(csv[0], /^id,slug,name,/);
  assert.deepEqual(csv.slice(1).map((line) => line.split(',')[2]), sorted, 'the file holds what is filtered, in the order shown');

  const shared = await open(context, page.url());
  await settled(shared);
  assert.equal(await rows(shared).count(), attention.total);
  await shared.getByRole('columnheader', { name: 'Client' }).and(shared.locator('[aria-sort=ascending]')).waitFor();
  quiet(page);
  quiet(shared);
});
