import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { enter, heading, open, person, quiet, withBrowser } from './hub.mjs';

withBrowser();
const STEP_MS = 30_000;
/** RFC 6238: six digits out of a base32 secret, for the step that an instant falls into. */
function totp(secret, at) {
  const bits = [...secret.replace(/[\s=]/g, '').toUpperCase()].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / STEP_MS)));
  const hash = createHmac('sha1', key).update(counter).digest();
  return String((hash.readUInt32BE(hash.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
async function password(page, { email }, secret) {
  await page.getByLabel('E-mail').fill(email);
  await page.locator('input[name=password]').fill(secret);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}
async function signOut(page, { name }) {
  await page.getByRole('button', { name: `Account menu: ${name}` }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await heading(page, 'Sign in');
}
async function digits(page, code) {
  await page.getByLabel('Digit of the code 1').click();
  await page.keyboard.type(code);
}

test('password, authenticator code and recovery code; a used one is refused', async (t) => {
  const sam = person('technician_t1');
  const page = await open(await enter(t), '/account', { allow: /status of 401/ });
  await heading(page, 'Sign in');
  await password(page, sam, 'not the password');
  await page.getByRole('alert').filter({ hasText: 'E-mail or password is wrong.' }).waitFor();
  await password(page, sam, sam.password);
  await heading(page, 'Your account');

  await page.getByRole('button', { name: 'Set up', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Password').first().fill(sam.password);
  await dialog.getByRole('button', { name: 'Continue' }).click();
  const secret = await dialog.getByLabel('Key to type', { exact: true }).inputValue();
  assert.ok(await dialog.getByRole('img', { name: 'QR code' }).evaluate((i) => i.complete && i.naturalWidth > 0), 'the QR code is drawn');
  const enrolledAt = Date.now();
  const used = totp(secret, enrolledAt);
  await dialog.getByLabel('Code from your app').fill(used);
  await dialog.getByRole('button', { name: 'Confirm' }).click();
  await dialog.locator('.codes li').first().waitFor();
  const recovery = await dialog.locator('.codes li').allTextContents();
  assert.equal(recovery.length, 10);
  assert.match(recovery[0], /^\w{4}-\w{4}-\w{4}$/);
  await dialog.getByRole('button', { name: 'I have kept them' }).click();
  await page.getByText('10 recovery codes left').waitFor();

  await signOut(page, sam);
  await password(page, sam, sam.password);
  await heading(page, 'Enter your code');
  await digits(page, used);
  await page.getByRole('alert').filter({ hasText: 'This code is wrong or was already used.' }).waitFor();
  await digits(page, totp(secret, Math.max(Date.now(), enrolledAt + STEP_MS)));
  await heading(page, 'Client dashboard');

  await signOut(page, sam);
  await password(page, sam, sam.password);
  await page.getByRole('button', { name: 'Use a recovery code' }).click();
  await page.getByLabel('Recovery code').fill(recovery[0]);
  await page.getByRole('button', { name: 'Verify' }).click();
  await heading(page, 'Client dashboard');
  await signOut(page, sam);
  await password(page, sam, sam.password);
  await page.getByRole('button', { name: 'Use a recovery code' }).click();
  await page.getByLabel('Recovery code').fill(recovery[0]);
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByRole('alert').filter({ hasText: 'already used' }).waitFor();
  quiet(page);
});
