import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, heading, kpi, open, quiet, rows, settled, withBrowser } from './hub.mjs';

withBrowser();
const STAMP = Date.now();
const TITLE = `Backups leave the building ${STAMP}`;
/** Prowler's shape of OCSF: a critical control fails, another passes. */
const event = (control, title, code, severity_id, severity) => ({
  activity_id: 1, category_uid: 2, class_uid: 2004, type_uid: 200401, time: STAMP, time_dt: new Date(STAMP).toISOString(), severity_id, severity, status_id: 1, status: 'New', status_code: code, status_detail: `${title}: ${code}`, message: `${title}: ${code}`,
  metadata: { event_code: control, product: { name: 'E2E Scanner', vendor_name: 'E2E', version: '1.0' }, version: '1.5.0' },
  finding_info: { uid: `e2e-${control}-${STAMP}`, title, desc: 'A check of the end-to-end tests.', analytic: { uid: control, name: title, type: 'Rule', type_id: 1 } },
  resources: [{ uid: `vault-${STAMP}`, name: `vault-${STAMP}`, type: 'Vault' }], remediation: { desc: 'Keep **one** copy elsewhere.' }, unmapped: { compliance: { 'CIS AWS 3.0': ['1.1'] } },
});
const scan = JSON.stringify([event(`e2e_backup_${STAMP}`, TITLE, 'FAIL', 5, 'Critical'), event(`e2e_lock_${STAMP}`, `Vault is locked ${STAMP}`, 'PASS', 3, 'Medium')], null, 1);

async function drop(page, name, content) {
  const transfer = await page.evaluateHandle(([n, text]) => { const d = new DataTransfer(); d.items.add(new File([text], n)); return d; }, [name, content]);
  await page.locator('.drop').dispatchEvent('drop', { dataTransfer: transfer });
}
async function score(page) {
  await page.goto('/t/acme/overview');
  await settled(page);
  return kpi(page, 'Compliance').locator('dd > b').getAttribute('title');
}

test('import a scan, override its finding, comment; the client reads who did it', async (t) => {
  const context = await enter(t, 'technician_t2');
  const page = await open(context, '/t/acme/scans');
  await settled(page);
  await drop(page, `e2e-${STAMP}.json`, scan);
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('heading', { name: `e2e-${STAMP}.json` }).waitFor();
  await drawer.getByText('1 passed, 1 failed, 0 by hand').waitFor();
  await drawer.locator('.tiles').getByRole('link', { name: '1', exact: true }).click();
  await heading(page, 'Findings');
  await page.getByRole('button', { name: TITLE }).waitFor();
  assert.equal(await rows(page).count(), 1);
  const summary = () => get(context, '/tenants/acme/summary');
  const before = await summary();
  const shownBefore = await score(page);
  await page.goBack();
  await page.getByRole('button', { name: TITLE }).click();
  await drawer.getByRole('heading', { name: TITLE }).waitFor();
  assert.equal(await drawer.locator('strong, b').filter({ hasText: 'one' }).count(), 1, 'remediation is shown as Markdown');

  await drawer.getByRole('button', { name: 'Create override' }).click();
  const form = drawer.getByRole('region', { name: 'Create override' });
  await form.getByRole('button', { name: 'Create override' }).click();
  await form.getByText('Write at least 10 characters').waitFor();
  await form.getByLabel('Reason').fill('A second vault is being built; accepted until then.');
  await form.getByRole('button', { name: 'Create override' }).click();
  await drawer.getByText('Overridden: counts as passed').waitFor();
  await drawer.getByRole('button', { name: 'Revoke override' }).waitFor();
  await drawer.locator('header').getByText('Overridden').waitFor();

  await drawer.getByLabel('Add a comment').fill('Spoke to the client about it.');
  await drawer.getByRole('button', { name: 'Comment', exact: true }).click();
  await drawer.locator('.comments').getByText('Spoke to the client about it.').waitFor();
  await drawer.locator('.comments').getByText('Lena Fischer').waitFor();
  assert.equal(await drawer.getByLabel('Add a comment').inputValue(), '');

  const after = await summary();
  assert.ok(after.score > before.score, `the score rises: ${before.score} → ${after.score}`);
  assert.equal(after.overridden, before.overridden + 1);
  const shownAfter = await score(page);
  assert.notEqual(shownAfter, shownBefore, 'the overview shows it');
  assert.equal(shownAfter, `${after.score}%`);
  quiet(page);

  const dana = await open(await enter(t, 'tenant_admin'), '/t/acme/ledger');
  await settled(dana);
  for (const act of ['Created override', 'Commented', 'Imported scan']) {
    const row = rows(dana).filter({ hasText: act }).first();
    assert.match(await row.innerText(), /Lena Fischer/);
    assert.match(await row.innerText(), /Northwind IT/);
  }
  await dana.getByRole('button', { name: 'Created override' }).first().click();
  await dana.getByRole('dialog').getByText('accepted until then').first().waitFor();
  quiet(dana);
});

test('a broken file says where, and nothing is imported', async (t) => {
  const context = await enter(t, 'technician_t2');
  const complete = async () => (await get(context, '/tenants/acme/scans?limit=200')).items.filter((s) => s.state === 'complete').length;
  const before = await complete();
  const page = await open(context, '/t/acme/scans', { allow: /status of 422/ });
  await settled(page);
  const lines = scan.split('\n');
  lines[5] = lines[5].replace(':', ';');
  await page.getByLabel('Drop a scan here').setInputFiles({ name: 'broken.json', mimeType: 'application/json', buffer: Buffer.from(lines.join('\n')) });
  const alert = page.getByRole('alert', { name: 'The file could not be read' });
  await alert.getByText('broken.json · Nothing was imported.').waitFor();
  assert.match(await alert.innerText(), /Line\s+6\b/);
  assert.match(await alert.innerText(), /Column\s+\d+/);
  assert.equal(await complete(), before);
  await alert.getByRole('button', { name: 'Close' }).click();
  await alert.waitFor({ state: 'detached' });
  quiet(page);
});

test('a viewer reads; what is not allowed is disabled with its reason, and refused by the API', async (t) => {
  const page = await open(await enter(t, 'viewer'), '/t/acme/findings', { allow: /status of 403/ });
  await settled(page);
  await rows(page).first().getByRole('button').first().click();
  const drawer = page.getByRole('dialog');
  const closed = async (button) => {
    await button.waitFor();
    assert.equal(await button.getAttribute('aria-disabled'), 'true');
    const why = await page.locator(`[id="${await button.getAttribute('aria-describedby')}"]`).textContent();
    assert.ok(why.length > 10, `a reason: ${why}`);
  };
  await closed(drawer.getByRole('button', { name: 'Create override' }));
  await closed(drawer.getByRole('button', { name: 'Assign to me' }));
  await closed(drawer.getByRole('button', { name: 'Comment', exact: true }));
  const finding = new URL(page.url()).searchParams.get('finding');
  await page.goto('/t/acme/overview');
  await settled(page);
  await closed(page.getByRole('button', { name: 'Import scan' }));
  const post = (path, body) => page.evaluate(async ([to, json]) => { const r = await fetch(to, { method: 'POST', headers: { 'content-type': 'application/json' }, body: json }); return [r.status, (await r.json()).code]; }, [`/api/v1/tenants/acme/${path}`, JSON.stringify(body)]);
  assert.deepEqual(await post('overrides', { finding, reason: 'because I would like to', expires_at: new Date(STAMP + 864e5).toISOString() }), [403, 'forbidden']);
  assert.deepEqual(await post(`findings/${finding}/comments`, { text: 'hello' }), [403, 'forbidden']);
  assert.deepEqual(await post('scans?file=x.json&format=auto', []), [403, 'forbidden']);
  quiet(page);
});

test('several findings at once: take them, override them; an override is revoked', async (t) => {
  const context = await enter(t, 'technician_t3');
  const page = await open(context, '/t/dunmore/findings?assignee=none');
  await settled(page);
  const drawer = page.getByRole('dialog');
  const choose = async () => { for (const i of [0, 1]) await rows(page).nth(i).getByRole('checkbox').check(); };
  const before = (await get(context, '/tenants/dunmore/findings?assignee=me')).total;
  await choose();
  await page.getByRole('button', { name: 'Assign to me' }).click();
  await drawer.getByRole('button', { name: 'Assign 2 to me' }).click();
  await drawer.getByText('2 of 2 done').waitFor();
  await drawer.getByRole('button', { name: 'Done' }).click();
  assert.equal((await get(context, '/tenants/dunmore/findings?assignee=me')).total, before + 2);

  await page.goto('/t/dunmore/findings?assignee=me');
  await settled(page);
  const active = async () => (await get(context, '/tenants/dunmore/overrides?state=active')).total;
  const overrides = await active();
  await choose();
  await page.getByRole('button', { name: 'Create override' }).click();
  await drawer.getByLabel('Reason').fill('Accepted by the council until the move.');
  await drawer.getByRole('button', { name: 'Create 2 overrides' }).click();
  await drawer.getByText('2 of 2 done').waitFor();
  assert.equal(await active(), overrides + 2);
  await page.goto('/t/dunmore/overrides');
  await settled(page);
  await rows(page).filter({ hasText: 'until the move' }).first().getByRole('button', { name: /^Revoke override/ }).click();
  await drawer.getByRole('button', { name: 'Revoke override' }).click();
  await drawer.waitFor({ state: 'detached' });
  assert.equal(await active(), overrides + 1);
  await page.getByRole('tab', { name: 'Revoked' }).click();
  await rows(page).filter({ hasText: 'until the move' }).getByText('Tom Becker').first().waitFor();
  quiet(page);
});

test('assign a finding to somebody; control page and ledger entry open', async (t) => {
  const context = await enter(t, 'tenant_admin');
  const page = await open(context, '/t/acme/findings?assignee=none');
  await settled(page);
  await rows(page).first().getByRole('button').first().click();
  const drawer = page.getByRole('dialog');
  await drawer.getByRole('combobox', { name: 'Assignee' }).or(drawer.getByLabel('Assignee')).first().click();
  await page.getByRole('option', { name: /^Marcus Osei/ }).click();
  await page.getByText('Assigned to Marcus Osei').first().waitFor();
  const id = new URL(page.url()).searchParams.get('finding');
  assert.equal((await get(context, `/tenants/acme/findings/${id}`)).assignee.name, 'Marcus Osei');
  await page.goto('/t/acme/ledger?action=finding.assign');
  await settled(page);
  await rows(page).first().getByRole('button').first().click();
  await drawer.getByText('finding.assign').waitFor();
  await drawer.getByRole('row', { name: /name.*Marcus Osei/ }).waitFor();
  quiet(page);
});
