import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, heading, open, quiet, rows, settled, toast, withBrowser } from './hub.mjs';

withBrowser();
/** How long somebody who may not be there any more may still see something. */
const WITHIN_MS = Number(process.env.WITHIN_MS ?? 1000);
const patch = async (context, path, data, version) => { const answer = await context.request.patch(`/api/v1${path}`, { data, headers: { 'if-match': `"${version}"` } }); assert.equal(answer.status(), 200, `${path}: ${await answer.text()}`); return answer.json(); };

test('a freeze: an open tab loses the client at once, the provider reads why, and it is lifted again', async (t) => {
  const tech = await enter(t, 'technician_t3');
  const tab = await open(tech, '/t/acme/findings', { allow: /status of 403/ });
  await settled(tab);
  await rows(tab).first().waitFor();
  const admin = await enter(t, 'tenant_admin');
  const page = await open(admin, '/t/acme/provider-access');
  await settled(page);
  const { people } = await get(admin, '/tenants/acme/provider-access');
  const live = new Set(people.filter((p) => p.live).map((p) => p.person.id)).size;
  await page.getByText(new RegExp(`^${live} (person|people) of .*Northwind IT.* can reach Acme Dental Group`)).waitFor();

  await page.getByRole('button', { name: 'Freeze all access' }).click();
  const ask = page.getByRole('dialog');
  await ask.getByText(`${live} people lose access within a second`).waitFor();
  const go = ask.getByRole('button', { name: 'Freeze all access' });
  assert.equal(await go.isDisabled(), true, 'a reason is asked for first');
  await ask.getByLabel(/^Reason/).fill('We look into an odd sign-in');
  const lost = tab.getByRole('heading', { level: 1, name: /is frozen$|^You can’t enter/ }).waitFor({ state: 'attached' }).then(() => performance.now());
  const frozen = page.waitForResponse((r) => r.url().endsWith('/provider-access/freeze')).then((r) => { assert.equal(r.status(), 200); return performance.now(); });
  await go.click();
  const delay = (await lost) - (await frozen);
  t.diagnostic(`the tab lost the client ${Math.round(delay)} ms after the answer`);
  assert.ok(delay < WITHIN_MS, `it took ${Math.round(delay)} ms`);
  await heading(tab, 'Provider access to Acme Dental Group is frozen');
  assert.equal(await rows(tab).count(), 0, 'nothing of the client is left');
  assert.equal(await tab.locator('.banner').count(), 0);
  assert.equal((await tech.request.get('/api/v1/tenants/acme/findings')).status(), 403);
  await page.getByRole('heading', { name: 'All provider access is frozen' }).waitFor();
  await page.getByText('We look into an odd sign-in').first().waitFor();

  const provider = await open(await enter(t, 'provider_admin'), '/tenants/acme');
  await settled(provider);
  await provider.getByRole('heading', { name: 'Acme Dental Group froze all provider access' }).waitFor();
  await provider.getByText('We look into an odd sign-in').waitFor();
  await provider.goto('/relationships?state=frozen');
  await settled(provider);
  await provider.getByRole('link', { name: 'Acme Dental Group' }).waitFor();

  await page.getByRole('button', { name: 'Unfreeze' }).click();
  await ask.getByRole('button', { name: 'Unfreeze' }).click();
  await toast(page, 'Provider access works again');
  await tab.getByRole('button', { name: 'Try again' }).click();
  await heading(tab, 'Findings');
  await rows(tab).first().waitFor();
  for (const p of [tab, page, provider]) quiet(p);
});

test('one technician is removed here, and admitted again', async (t) => {
  const admin = await enter(t, 'tenant_admin');
  const page = await open(admin, '/t/acme/provider-access?q=Sam');
  await settled(page);
  const sam = rows(page).filter({ hasText: 'Sam' }).first();
  const name = await sam.locator('.semi').first().textContent();
  await sam.getByRole('button', { name: `More for ${name}` }).click();
  await page.getByRole('menuitem', { name: 'Remove here' }).click();
  const ask = page.getByRole('dialog');
  await ask.getByLabel('Reason').fill('Left our project');
  await ask.getByRole('button', { name: 'Remove here' }).click();
  await toast(page, `${name} can’t reach us any more`);
  await rows(page).filter({ hasText: 'Left our project' }).getByText('Removed').waitFor();
  const tech = await enter(t, 'technician_t1');
  assert.ok([403, 404].includes((await tech.request.get('/api/v1/tenants/acme/findings')).status()));
  await page.getByRole('button', { name: `More for ${name}` }).first().click();
  await page.getByRole('menuitem', { name: 'Admit again' }).click();
  await ask.getByRole('button', { name: 'Admit again' }).click();
  await toast(page, `${name} may be assigned again`);
  // As it was: the provider assigns them once more.
  const provider = await enter(t, 'provider_admin');
  const staff = (await get(provider, '/providers/northwind/staff?limit=200')).items.find((s) => s.person.name === name);
  const made = await provider.request.post('/api/v1/providers/northwind/assignments', { data: { staff: staff.id, tenant: 'acme', tier: 'T1', mask: { view: true, create: false, update: false, delete: false }, modules: ['compliance'] } });
  assert.ok([201, 202].includes(made.status()), await made.text());
  if (made.status() === 202) assert.equal((await admin.request.post(`/api/v1/tenants/acme/access-requests/${(await made.json()).pending.id}/approve`, { data: {} })).status(), 204);
  quiet(page);
});

test('a higher tier waits for the client; approved, it holds; lowering is immediate', async (t) => {
  const provider = await enter(t, 'provider_admin');
  const admin = await enter(t, 'tenant_admin');
  const tenant = () => get(provider, '/providers/northwind/tenants/acme');
  const { relationship: was } = await tenant();
  if (was.tier === 'T3') await patch(provider, '/providers/northwind/tenants/acme/relationship', { tier: 'T2' }, was.version);
  const page = await open(provider, '/tenants/acme');
  await settled(page);
  const choose = async (tier) => {
    await page.getByRole('button', { name: 'Change access' }).click();
    const drawer = page.getByRole('dialog');
    await drawer.getByRole('combobox', { name: 'Tier' }).or(drawer.getByLabel('Tier')).first().click();
    await page.getByRole('option', { name: new RegExp(`^${tier} `) }).click();
    return drawer;
  };
  const drawer = await choose('T3');
  await drawer.getByText('Acme Dental Group is asked first').waitFor();
  await drawer.getByRole('button', { name: 'Save' }).click();
  await toast(page, 'Acme Dental Group is asked for consent');
  await page.getByRole('region', { name: 'Waits for the client’s consent' }).waitFor();
  assert.equal((await tenant()).relationship.tier, 'T2', 'nothing is in effect yet');

  const client = await open(admin, '/t/acme/provider-access');
  await settled(client);
  await client.getByRole('link', { name: 'See requests' }).click();
  await heading(client, 'Access requests');
  const asked = client.getByRole('listitem').filter({ hasText: 'Higher tier' });
  await asked.getByRole('button', { name: /^Approve/ }).click();
  await client.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
  await toast(client, 'Approved');
  await asked.waitFor({ state: 'detached' });
  await rows(client).filter({ hasText: 'Higher tier' }).first().getByText('Approved').waitFor();
  assert.equal((await tenant()).relationship.tier, 'T3');
  await page.reload();
  await settled(page);
  assert.equal(await page.getByRole('region', { name: 'Waits for the client’s consent' }).count(), 0);
  if (was.tier !== 'T3') {
    const lower = await choose(was.tier);
    await lower.getByText('Lowering the tier takes effect at once').waitFor();
    await lower.getByRole('button', { name: 'Save' }).click();
    await toast(page, 'Saved');
    assert.equal((await tenant()).relationship.tier, was.tier);
  }
  quiet(page);
  quiet(client);
});

test('why: the page says what the server says, for one, for who, for what', async (t) => {
  const admin = await enter(t, 'tenant_admin');
  const { people } = await get(admin, '/tenants/acme/provider-access');
  const sam = people.find((p) => p.person.email?.startsWith('sam'))?.person ?? people.find((p) => p.tier === 'T1').person;
  const page = await open(admin, '/t/acme/provider-access?q=' + encodeURIComponent(sam.name));
  await settled(page);
  await page.getByRole('link', { name: new RegExp(`^Why\\?.*${sam.name}`) }).first().click();
  await heading(page, 'Why');
  await page.getByRole('combobox', { name: 'Action' }).or(page.getByLabel('Action')).first().click();
  await page.keyboard.type('import scans');
  await page.getByRole('option', { name: /import scans/ }).click();
  await page.waitForURL(/action=scan\.import/);
  const answer = await get(admin, `/tenants/acme/why?person=${sam.id}&action=scan.import`);
  await page.getByRole('heading', { name: `${answer.allowed ? 'Yes' : 'No'}: ${sam.name} may ${answer.allowed ? '' : 'not '}import scans in Acme Dental Group` }).waitFor();
  const verdict = page.getByRole('region', { name: 'Answer' });
  await verdict.getByText(answer.why).waitFor();
  await verdict.getByText(answer.policy, { exact: true }).waitFor();
  assert.equal(await page.locator('.grants li').count(), answer.through.length);

  await page.getByRole('link', { name: /^Who else may/ }).click();
  const who = await get(admin, '/tenants/acme/why/people?action=scan.import&allowed=true&limit=200');
  await page.getByText(new RegExp(`^${who.total} (person|people) may import scans in Acme Dental Group`)).waitFor();
  await page.getByRole('tab', { name: 'What can … do' }).click();
  const what = await get(admin, `/tenants/acme/why/actions?person=${sam.id}`);
  await page.getByText(`${sam.name} may do ${what.items.filter((x) => x.allowed).length} of ${what.items.length} things in Acme Dental Group`).waitFor();
  quiet(page);

  const provider = await enter(t, 'provider_admin');
  const across = await open(provider, '/why?action=finding.take');
  await settled(across);
  const clients = await get(provider, '/providers/northwind/why?action=finding.take&limit=50');
  assert.equal(await rows(across).count(), clients.items.length);
  quiet(across);
});

test('relationships: many are renewed in one go, and a tier is looked at before it is changed', async (t) => {
  const provider = await enter(t, 'provider_admin');
  const page = await open(provider, '/relationships?sort=name&state=active');
  await settled(page);
  const before = (await get(provider, '/providers/northwind/relationships?sort=name&state=active')).items.slice(0, 3);
  for (const r of before) await page.getByRole('checkbox', { name: `Choose ${r.tenant.name}` }).check();
  const bar = page.getByRole('region', { name: 'Chosen relationships' });
  await bar.getByText('3 chosen').waitFor();

  await bar.getByRole('button', { name: 'Change tier…' }).click();
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('combobox', { name: 'New tier' }).or(drawer.getByLabel('New tier')).first().click();
  await page.getByRole('option', { name: /^T1 / }).click();
  const preview = await (await provider.request.post('/api/v1/providers/northwind/relationships/preview', { data: { tenants: before.map((r) => r.tenant.slug), tier: 'T1' } })).json();
  const changes = preview.tenants.filter((x) => x.from !== x.to);
  await drawer.getByText(changes.length === 0 ? 'Nothing would change' : new RegExp(`^${changes.length} clients? changes?`)).first().waitFor();
  await drawer.getByRole('button', { name: 'Cancel' }).click();
  await drawer.waitFor({ state: 'detached' });

  await bar.getByRole('button', { name: 'Renew' }).click();
  const year = new Date().getFullYear() + 1;
  await drawer.getByLabel('Until').fill(`${year}-06-30`);
  await drawer.getByRole('button', { name: 'Renew 3' }).click();
  await drawer.getByRole('status').filter({ hasText: /renewed/ }).waitFor();
  await drawer.getByRole('button', { name: 'Done' }).click();
  const after = (await get(provider, '/providers/northwind/relationships?sort=name&limit=200')).items;
  for (const r of before) {
    const now = after.find((x) => x.id === r.id);
    assert.ok(now.pending_renewal || now.ends_at.startsWith(`${year}-06-30`) || now.ends_at.startsWith(`${year}-07-01`), `${r.tenant.name}: ${now.ends_at}`);
    if (!now.pending_renewal) await rows(page).filter({ hasText: r.tenant.name }).getByText(`30 Jun ${year}`).waitFor();
  }
  quiet(page);
});
