// What every test file shares: the demo's addresses and people, the browser, and a page that remembers what went wrong on it.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';

const demo = JSON.parse(process.env.TENANTRY_E2E ?? 'null') ?? { url: '', sign_ins: [] };
export const url = demo.url;
export const WAIT_MS = Number(process.env.WAIT_MS ?? 20_000);
export const person = (role) => demo.sign_ins.find((s) => s.role === role) ?? assert.fail(`the demo has no ${role}`);

const executablePath = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((p) => existsSync(p));
export const launch = () => chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
let browser;
/** Call once at the top of a test file. */
export function withBrowser() {
  before(async () => { browser = await launch(); });
  after(() => browser?.close());
}

/** A context of its own, signed in as somebody of the demo (or nobody). It is closed when the test ends. */
export async function enter(t, role, options = {}) {
  const context = await browser.newContext({ baseURL: url, viewport: { width: 1440, height: 900 }, locale: 'en-GB', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(WAIT_MS);
  t.after(async () => {
    // TEST_RESULTS=<folder> keeps what each page showed at the end of its test.
    if (process.env.TEST_RESULTS) await Promise.all(context.pages().map((page, i) => page.screenshot({ path: `${process.env.TEST_RESULTS}/${t.name.replace(/\W+/g, '-').slice(0, 60)}-${role}-${i}.png` })));
    await context.close();
  });
  await context.addInitScript(() => addEventListener('securitypolicyviolation', (e) => console.error(`CSP ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`)));
  if (role) await signIn(context, person(role));
  return context;
}
export async function signIn(context, { email, password }) {
  const answer = await context.request.post('/api/v1/session', { data: { email, password } });
  assert.equal(answer.status(), 200, `sign-in of ${email}: ${await answer.text()}`);
}
/** A page that keeps what the console and the policy complain about. `allow` names what the test provokes itself. */
export async function open(context, path, { allow } = {}) {
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (m) => { if (m.type() === 'error' && !allow?.test(m.text())) complaints.push(`${m.text()} ${m.location().url}`); });
  page.on('pageerror', (e) => complaints.push(`thrown: ${e.message}`));
  page.complaints = complaints;
  await page.goto(path);
  return page;
}
export const quiet = (page) => assert.deepEqual(page.complaints, [], `complaints on ${page.url()}`);
/** The page shows its content: a heading, no skeleton, nothing under way. */
export async function settled(page) {
  await page.locator('h1').first().waitFor();
  await page.waitForLoadState('networkidle');
  await page.locator('[aria-busy="true"]').first().waitFor({ state: 'detached' });
}
export const heading = (page, name) => page.getByRole('heading', { level: 1, name }).waitFor();
export async function get(context, path) {
  const answer = await context.request.get(`/api/v1${path}`);
  assert.equal(answer.status(), 200, `${path}: ${await answer.text()}`);
  return answer.json();
}
async function sent(context, method, path, data, version) {
  const answer = await context.request[method](`/api/v1${path}`, { data, headers: version === undefined ? {} : { 'if-match': `"${version}"` } });
  assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
  const text = await answer.text();
  return text ? JSON.parse(text) : undefined;
}
export const post = (context, path, data = {}) => sent(context, 'post', path, data);
export const patch = (context, path, data, version) => sent(context, 'patch', path, data, version);
/** Somebody new of the provider, invited by `admin`, signed in within a context of their own. */
export async function hire(t, admin, { name, email, role }) {
  const { token } = await post(admin, '/providers/northwind/staff/invitations', { email, role });
  const context = await enter(t);
  await post(context, `/invitations/${token}/accept`, { name, password: 'granite-otter-sails-31' });
  const { items } = await get(admin, `/providers/northwind/staff?q=${encodeURIComponent(email)}`);
  return { context, staff: items[0] };
}
export const kpi = (page, label) => page.locator('.kpi', { has: page.getByText(label, { exact: true }) });
export const rows = (page) => page.locator('tbody tr');
export const toast = (page, text) => page.locator('.mantine-Notification-root, [role=alert], [role=status]').filter({ hasText: text }).first().waitFor();
/** Until no message lies over the page: each goes by itself, unless the mouse rests on it. */
export const noToasts = async (page) => { await page.mouse.move(0, 0); await page.locator('[id^="toast-"]').first().waitFor({ state: 'detached' }); };
