import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { enter, get, open, quiet, settled, withBrowser } from './hub.mjs';

withBrowser();
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TENANT = ['overview', 'findings', 'findings?status=overridden', 'compliance', 'scans', 'overrides', 'members', 'provider-access', 'access-requests', 'why', 'why?tab=who&action=finding.assign', 'why?tab=what', 'api-keys', 'ledger', 'ledger?tab=checkpoints', 'ledger?tab=keys', 'settings', 'bill', 'offboarding', 'alerts', 'alerts?state=all', 'branding'].map((p) => `/t/acme/${p}`);
const PROVIDER = ['/', '/?view=table', '/?add=client', '/tenants', '/tenants/acme', '/sub-providers', '/staff', '/staff?invite=staff', '/relationships', '/requests', '/requests?tab=mine', '/requests?tab=templates', '/requests?ask=elevation', '/why?action=finding.assign', '/api-keys', '/ledger', '/ledger?tab=checkpoints', '/ledger?tab=keys', '/ledger?tab=certificates', '/settings', '/settings?preset=enterprise', '/plans', '/plans?plan=new', '/licensing', '/licensing?edit=acme', '/revenue', '/account', '/account?tab=notifications', '/alerts', '/alerts?state=all', '/groups', '/fleet', '/fleet/new', '/findings', '/members', '/activity', '/modules', '/branding', '/connections', '/t/elm-street/overview', '/t/elm-street/findings'];
/** The pages that need an id, as the person's own lists give it. */
async function withIds(context, paths, provider) {
  const [finding] = (await get(context, '/tenants/acme/findings?limit=1')).items;
  const [scan] = (await get(context, '/tenants/acme/scans?limit=1')).items;
  const [control] = (await get(context, '/tenants/acme/controls?limit=1')).items;
  const [person] = provider ? (await get(context, '/providers/northwind/staff?limit=1&role=technician')).items : [];
  const [plan] = provider ? (await get(context, '/providers/northwind/plans')).items : [];
  const staff = provider ? [`/staff/${person.id}`, `/staff/${person.id}/leaving`, `/plans?plan=${plan.id}`, `/plans?versions=${plan.id}`, `/plans?assign=${plan.id}`] : [];
  const group = provider ? (await get(context, '/providers/northwind/groups?limit=1')).items.map((g) => `/groups/${g.id}`) : [];
  const change = provider ? (await get(context, '/providers/northwind/fleet-changes?limit=1')).items.map((c) => `/fleet/${c.id}`) : [];
  return [...paths, ...group, ...change, `/t/acme/findings?finding=${finding.id}`, `/t/acme/scans?scan=${scan.id}`, `/t/acme/compliance?control=${control.id}`, ...staff];
}
const WHO = [['provider_admin', [...PROVIDER, ...TENANT], true], ['tenant_admin', [...TENANT, '/t/acme/api-keys?create=key', '/account'], false]];

for (const [role, paths, provider] of WHO) {
  test(`axe finds nothing: ${role}, light and dark`, async (t) => {
    const context = await enter(t, role, { bypassCSP: true });
    const page = await open(context, '/');
    const found = [];
    for (const path of await withIds(context, paths, provider)) {
      await page.goto(path);
      await settled(page);
      await page.evaluate(axe);
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor();
        const violations = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ['violations'] })).violations.map((v) => `${v.id} ${v.nodes.length}× ${v.nodes[0].target} ${v.nodes[0].failureSummary.split('\n')[1] ?? ''}`));
        found.push(...violations.map((v) => `${path} ${colorScheme}: ${v}`));
      }
    }
    assert.deepEqual(found, []);
  });
  test(`no complaint of the console or the policy, no sideways scroll at 360 px: ${role}`, async (t) => {
    const context = await enter(t, role, { viewport: { width: 360, height: 780 } });
    const page = await open(context, '/');
    const wide = [];
    for (const path of await withIds(context, paths, provider)) {
      await page.goto(path);
      await settled(page);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) wide.push(`${path}: ${over} px`);
    }
    assert.deepEqual(wide, []);
    quiet(page);
  });
}

// What a person may not read is not asked for: a 403 would stand among the complaints.
const OTHERS = [['technician_t3', 'acme', true], ['technician_t2', 'dunmore', true], ['operator', 'acme'], ['auditor', 'acme'], ['viewer', 'acme'], ['sub_provider_admin', 'tidewater', true]];
for (const [role, slug, provider] of OTHERS) {
  test(`no complaint of the console or the policy: ${role}`, async (t) => {
    const page = await open(await enter(t, role), '/');
    for (const path of [...(provider ? ['/', '/?add=client', '/tenants', '/sub-providers', '/staff', '/relationships', '/requests', '/why', '/api-keys', '/ledger', '/settings', '/plans', '/licensing', '/revenue'] : []), ...TENANT.map((p) => p.replace('acme', slug)), '/account']) {
      await page.goto(path);
      await settled(page);
    }
    await page.goto(`/t/${slug}/findings`);
    await settled(page);
    if (await page.locator('tbody button').count()) { await page.locator('tbody button').first().click(); await page.getByRole('dialog').getByRole('heading', { level: 2 }).first().waitFor(); }
    quiet(page);
  });
}

test('axe finds nothing on the pages before sign-in', async (t) => {
  const page = await open(await enter(t, undefined, { bypassCSP: true }), '/sign-in', { allow: /status of 4/ });
  for (const path of ['/sign-in', '/sign-in?step=code', '/setup', '/invite/unknown', '/reset', '/reset/unknown']) {
    await page.goto(path);
    await settled(page);
    await page.evaluate(axe);
    assert.deepEqual(await page.evaluate(async () => (await globalThis.axe.run(document)).violations.map((v) => `${v.id} ${v.nodes[0].target}`)), [], path);
  }
});

test('/api/docs lists the operations', async (t) => {
  const page = await open(await enter(t, 'provider_admin'), '/api/docs');
  await page.locator('.opblock-tag').first().waitFor();
  const document = await (await page.context().request.get('/api/openapi.json')).json();
  const tags = new Set(Object.values(document.paths).flatMap((p) => Object.values(p)).flatMap((o) => o.tags ?? []));
  assert.equal(await page.locator('.opblock-tag').count(), tags.size);
  await page.locator('.opblock-tag').first().click();
  await page.locator('.opblock').first().waitFor();
  quiet(page);
});
