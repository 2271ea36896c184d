import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { enter, get, open, quiet, rows, settled, withBrowser } from './hub.mjs';

withBrowser();

for (const [role, at, to] of [['tenant_admin', '/t/acme/ledger', '/tenants/acme/ledger'], ['provider_admin', '/ledger', '/providers/northwind/ledger']]) {
  test(`the ledger verifies itself, and is taken along: ${role}`, async (t) => {
    const context = await enter(t, role);
    const page = await open(context, at);
    await settled(page);
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Export' }).click();
    const lines = readFileSync(await (await download).path(), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
    assert.equal(lines[0].format, 'tenantry-ledger');

    await page.getByRole('button', { name: 'Verify now' }).click();
    const drawer = page.getByRole('dialog', { name: 'Verification' });
    await drawer.getByRole('heading', { name: /^All [\d,]+ entries are as they were written/ }).waitFor();
    const check = await get(context, `${to}/verify`);
    assert.equal(check.ok, true);
    assert.ok(check.entries > 0);
    await drawer.getByRole('button', { name: 'Close' }).click();

    await page.getByRole('tab', { name: 'Checkpoints' }).click();
    await settled(page);
    const points = await get(context, `${to}/checkpoints`);
    assert.ok(points.total > 0, 'an export signs the head');
    assert.equal(await rows(page).count(), points.items.length);
    await page.getByRole('tab', { name: 'Signing keys' }).click();
    const keys = await get(context, '/ledger-keys');
    await rows(page).filter({ hasText: keys.items[0].key_id }).first().waitFor();
    quiet(page);
  });
}
