import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, heading, open, quiet, rows, settled, withBrowser } from './hub.mjs';

withBrowser();

test('findings of all clients: each names its client and leads into it', async (t) => {
  const context = await enter(t, 'provider_admin');
  const { slug } = (await get(context, '/me')).providers[0];
  const page = await open(context, '/findings?severity=critical');
  await settled(page);
  const listed = await get(context, `/providers/${slug}/findings?severity=critical&sort=severity&limit=50`);
  assert.equal(await rows(page).count(), listed.items.length);
  assert.ok(new Set(listed.items.map((f) => f.tenant.slug)).size > 1, 'of more than one client');
  const first = listed.items[0];
  await rows(page).first().getByRole('link', { name: first.title }).click();
  await page.waitForURL(new RegExp(`/t/${first.tenant.slug}/findings\\?.*finding=`));
  await page.getByRole('dialog').getByRole('heading', { name: first.title }).waitFor();
  quiet(page);
});

test('what can’t be read is named; a technician sees no more than their clients', async (t) => {
  const context = await enter(t, 'technician_t1');
  const { slug } = (await get(context, '/me')).providers[0];
  const listed = async (filter) => (await get(context, `/providers/${slug}/clients?limit=200${filter}`)).items.map((c) => c.slug);
  const assigned = new Set([...(await listed('')), ...(await listed('&filter=suspended')), ...(await listed('&filter=archived'))]);
  for (const [path, title] of [['findings', 'Findings'], ['members', 'Members'], ['activity', 'Activity'], ['modules', 'Modules']]) {
    const answer = await get(context, `/providers/${slug}/${path}?limit=50`);
    for (const x of answer.items) assert.ok(assigned.has(x.tenant.slug), `${path}: ${x.tenant.slug}`);
    const page = await open(context, `/${path}`);
    await heading(page, title);
    await settled(page);
    if ((answer.unreadable ?? []).length > 0) await page.getByText(/can’t be read by you/).waitFor();
    quiet(page);
    await page.close();
  }
});
