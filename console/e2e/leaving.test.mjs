import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, get, hire, open, post, quiet, rows, settled, withBrowser } from './hub.mjs';

withBrowser();

test('somebody of the staff leaves: what moves, what ends, in one act', async (t) => {
  const context = await enter(t, 'provider_admin');
  const { staff, context: theirs } = await hire(t, context, { name: 'Ines Albrecht', email: 'ines.albrecht@northwind.example', role: 'technician' });
  await post(context, '/providers/northwind/assignments', { staff: staff.id, tenant: 'glasswing', tier: 'T1', mask: { view: true, create: true, update: true, delete: true }, modules: ['compliance'], ends_at: null });
  const page = await open(context, `/staff/${staff.id}`);
  await settled(page);
  await page.getByRole('button', { name: 'Leaving', exact: true }).click();
  await page.getByRole('heading', { level: 1, name: 'Ines Albrecht leaves' }).waitFor();
  const held = rows(page).filter({ hasText: 'Glasswing Studios' });
  await held.getByRole('combobox').first().click();
  await page.getByRole('option', { name: 'Move' }).click();
  const go = page.getByRole('button', { name: 'Let Ines Albrecht leave' });
  assert.equal(await go.getAttribute('aria-disabled'), 'true', 'to whom is asked first');
  const { items } = await get(context, '/providers/northwind/staff?role=technician&state=active&limit=200');
  const taken = (await get(context, '/providers/northwind/assignments?tenant=glasswing&limit=200')).items.map((a) => a.staff.id);
  const heir = items.find((s) => s.id !== staff.id && !taken.includes(s.id));
  await held.getByRole('combobox').nth(1).click();
  await page.getByRole('option', { name: heir.person.name }).click();
  await go.click();
  const ask = page.getByRole('dialog');
  await ask.getByLabel(/to confirm/).fill('Ines Albrecht');
  await ask.getByRole('button', { name: 'Let Ines Albrecht leave' }).click();
  await page.getByRole('heading', { level: 1, name: 'Ines Albrecht has left' }).waitFor();
  await rows(page).filter({ hasText: 'Glasswing Studios' }).getByText(/^(Moved|Waits for consent)$/).waitFor();
  assert.equal((await get(context, `/providers/northwind/staff/${staff.id}`)).state, 'disabled');
  assert.equal((await theirs.request.get('/api/v1/providers/northwind')).ok(), false, 'their session is over');
  quiet(page);
});
