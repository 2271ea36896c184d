export interface DiffLine { path: string; kind: 'added' | 'removed' | 'changed' | 'same'; before?: string; after?: string }

const isTree = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null;
function flatten(value: unknown, path: string, out: Map<string, string>) {
  if (isTree(value) && Object.keys(value).length > 0) {
    for (const [k, v] of Object.entries(value)) flatten(v, path ? `${path}.${k}` : k, out);
  } else if (value !== undefined) out.set(path, typeof value === 'string' ? value : JSON.stringify(value));
}
/** What a change did, value by value: changed ones first in the order of the fields, then what stayed. null or undefined means "was not there". */
export function diff(before: unknown, after: unknown): DiffLine[] {
  const [a, b] = [new Map<string, string>(), new Map<string, string>()];
  if (before !== null) flatten(before, '', a);
  if (after !== null) flatten(after, '', b);
  const lines = [...new Set([...a.keys(), ...b.keys()])].map((path): DiffLine => {
    const [was, is] = [a.get(path), b.get(path)];
    if (was === undefined) return { path, kind: 'added', after: is };
    if (is === undefined) return { path, kind: 'removed', before: was };
    return { path, kind: was === is ? 'same' : 'changed', before: was, after: is };
  });
  return [...lines.filter((l) => l.kind !== 'same'), ...lines.filter((l) => l.kind === 'same')];
}
