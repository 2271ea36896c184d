// The README's pictures, out of the full demo: SCREENSHOTS=1 npm run e2e
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launch, person, settled, signIn, url } from './hub.mjs';

const out = fileURLToPath(new URL('../../docs/images/', import.meta.url));
mkdirSync(out, { recursive: true });
const browser = await launch();
const context = await browser.newContext({ baseURL: url, viewport: { width: 1440, height: 900 }, locale: 'en-GB', colorScheme: 'light', reducedMotion: 'reduce' });
await signIn(context, person('provider_admin'));
const page = await context.newPage();
for (const [name, path] of [['dashboard', '/'], ['findings', '/t/acme/findings'], ['overview', '/t/acme/overview']]) {
  await page.goto(path);
  await settled(page);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: `${out}${name}.png` });
  console.log(`docs/images/${name}.png`);
}
await browser.close();
