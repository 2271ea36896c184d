// What a browser downloads as script before the dashboard is usable: the entry, its static imports, the dashboard's own chunk and what that imports.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_BYTES = 250_000;
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('.vite/manifest.json', dist), 'utf8'));
const first = Object.keys(manifest).filter((k) => manifest[k].isEntry || k.endsWith('features/clients/Dashboard.tsx'));
if (first.length < 2) throw new Error('the entry or the dashboard is missing from the manifest');

const chunks = new Set();
const add = (key) => {
  if (chunks.has(key)) return;
  chunks.add(key);
  for (const dep of manifest[key].imports ?? []) add(dep);
};
first.forEach(add);

let total = 0;
for (const key of chunks) {
  const { file } = manifest[key];
  const bytes = gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length;
  total += bytes;
  console.log(String(bytes).padStart(8), file);
}
console.log(String(total).padStart(8), `bytes of gzip script for the first load of the dashboard; the budget is ${BUDGET_BYTES}`);
if (total > BUDGET_BYTES) process.exit(1);
