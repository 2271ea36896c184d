// End-to-end tests: the real binary with the small demo, driven by headless Chromium. `npm run e2e [-- words of file names]`
// TENANTRY_E2E_BINARY names another binary, CHROMIUM another browser. SCREENSHOTS=1 takes the README's pictures from the full demo instead.
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startHub } from './start.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const shots = process.env.SCREENSHOTS === '1';
if (process.env.TEST_RESULTS) mkdirSync(process.env.TEST_RESULTS, { recursive: true });
const words = process.argv.slice(2);
const files = readdirSync(here).filter((f) => f.endsWith('.test.mjs') && (words.length === 0 || words.some((w) => f.includes(w)))).toSorted();

const hub = await startHub(['demo', ...(shots ? [] : ['--small']), '--json'], { seconds: shots ? 300 : 90 });
let code = 1;
try {
  const home = await (await fetch(hub.demo.url)).text();
  if (home.includes('was not built into this binary')) throw new Error('the binary finds no console: build both from this folder, `make test-e2e`');
  const args = shots ? [`${here}screenshots.mjs`] : ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files.map((f) => here + f)];
  code = await new Promise((resolve) => {
    const tests = spawn(process.execPath, args, { stdio: 'inherit', env: { ...process.env, TENANTRY_E2E: JSON.stringify(hub.demo) } });
    tests.on('exit', (exit) => resolve(exit ?? 1));
  });
} finally {
  const stderr = await hub.stop();
  if (code !== 0) console.error(`\nThe hub said:\n${stderr.split('\n').slice(-80).join('\n')}`);
}
process.exitCode = code;
