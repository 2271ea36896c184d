import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enter, heading, open, quiet, settled, withBrowser } from './hub.mjs';
import { startSmtp } from './smtp.mjs';
import { startHub } from './start.mjs';

withBrowser();
const EMAIL = 'ada@lakeside.example';

test('a lost password: the link comes by e-mail, works once, and ends every session', async (t) => {
  const smtp = await startSmtp();
  t.after(() => smtp.stop());
  const hub = await startHub(['serve', '--smtp-url', `smtp://127.0.0.1:${smtp.port}?tls=none`, '--smtp-from', 'hub@lakeside.example']);
  t.after(() => hub.stop());
  const ada = await enter(t, undefined, { baseURL: hub.url });
  const made = await ada.request.post('/api/v1/setup', { data: { code: hub.setupCode, mode: 'provider', provider_name: 'Lakeside Services', provider_slug: 'lakeside', name: 'Ada Quill', email: EMAIL, password: 'paddle-harbour-lantern-9' } });
  assert.ok(made.ok(), await made.text());

  const page = await open(await enter(t, undefined, { baseURL: hub.url }), '/sign-in', { allow: /status of 4/ });
  await page.getByRole('link', { name: 'Forgot password?' }).click();
  await heading(page, 'Forgot your password?');
  await page.getByLabel('E-mail').fill('nobody@lakeside.example');
  await page.getByRole('button', { name: 'Send link' }).click();
  await page.getByText('If nobody@lakeside.example has an account').waitFor();
  await page.goto('/reset');
  await page.getByLabel('E-mail').fill(EMAIL);
  await page.getByRole('button', { name: 'Send link' }).click();
  await page.getByText(`If ${EMAIL} has an account`).waitFor();
  const mail = await smtp.to(EMAIL);
  const link = /https?:\/\/[^\s"<>]+\/reset\/[\w-]+/.exec(mail.text)?.[0] ?? assert.fail(mail.text);
  const at = new URL(link).pathname;

  await page.goto(at);
  await heading(page, 'Choose a new password');
  await page.getByLabel('New password').fill('thimble-orchard-quartz-3');
  await page.getByLabel('Repeat it').fill('something else entirely');
  await page.getByRole('button', { name: 'Save new password' }).click();
  await page.getByText('The two are not the same').waitFor();
  await page.getByLabel('Repeat it').fill('thimble-orchard-quartz-3');
  await page.getByRole('button', { name: 'Save new password' }).click();
  await heading(page, 'Password changed');
  assert.equal((await ada.request.get('/api/v1/me')).status(), 401, 'the session of before has ended');
  await page.goto(at);
  await heading(page, 'This link is no longer valid');
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(EMAIL);
  await page.locator('input[name=password]').fill('thimble-orchard-quartz-3');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await heading(page, 'Client dashboard');

  // The log says what was sent, and a test goes the same way.
  await page.goto('/connections');
  await settled(page);
  await page.locator('tbody tr').filter({ hasText: EMAIL }).getByText('Sent').first().waitFor();
  await page.getByRole('button', { name: 'Send test e-mail' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send', exact: true }).click();
  await smtp.to(EMAIL);
  quiet(page);
});
