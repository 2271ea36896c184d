import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const binary = process.env.TENANTRY_E2E_BINARY ?? fileURLToPath(new URL('../../target/debug/tenantry', import.meta.url));

/** What the command answers. */
export const command = (...args) => execFileSync(binary, args, { encoding: 'utf8' });

/** Starts a hub on a free port with a data folder of its own. `demo` waits for its one JSON line, `serve` for the log to name the address. */
export async function startHub(args, { seconds = 60 } = {}) {
  const data = mkdtempSync(join(tmpdir(), 'tenantry-e2e-'));
  const child = spawn(binary, [...args, '--data', data, '--listen', '127.0.0.1:0', '--log-format', 'json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  // What cannot be started never exits.
  const exited = new Promise((resolve) => { child.on('exit', resolve); child.on('error', resolve); });
  const stop = async () => {
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await exited;
    clearTimeout(force);
    rmSync(data, { recursive: true, force: true });
    return stderr;
  };
  const ready = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`the hub was not up after ${seconds} s`)), seconds * 1000);
    const done = (answer) => { clearTimeout(late); resolve(answer); };
    child.on('error', reject);
    child.on('exit', (code) => { clearTimeout(late); reject(new Error(`the hub ended with ${code}:\n${stderr}`)); });
    child.stdout.on('data', (chunk) => { stdout += chunk; const end = stdout.indexOf('\n'); if (args[0] === 'demo' && end >= 0) done({ demo: JSON.parse(stdout.slice(0, end)) }); });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
      const address = /"address":"([^"]+)"/.exec(stderr)?.[1];
      const setupCode = /one-time code ([0-9a-z-]+)/.exec(stderr)?.[1];
      if (args[0] === 'serve' && address && setupCode) done({ url: `http://${address}`, setupCode });
    });
  });
  try { return { ...(await ready), stop }; } catch (e) { await stop(); throw e; }
}
