import { Fragment } from 'react';

export interface Inline { kind: 'text' | 'code' | 'bold'; text: string }
export type Block = { kind: 'p'; lines: Inline[][] } | { kind: 'ul'; items: Inline[][] } | { kind: 'ol'; start: number; items: Inline[][] } | { kind: 'pre'; text: string };

const BULLET = /^\s*[-*•]\s+(.*)$/;
const NUMBER = /^\s*(\d{1,4})[.)]\s+(.*)$/;
const HEAD = /^#{1,6}\s+(.*?)\s*#*$/;
const FENCE = /^\s*```/;

/** `code` and **bold**; everything else is text as it stands, markup included. */
export function inline(text: string): Inline[] {
  const out: Inline[] = [];
  let at = 0;
  for (const m of text.matchAll(/`([^`\n]+)`|\*\*([^*\n]+)\*\*/g)) {
    if (m.index > at) out.push({ kind: 'text', text: text.slice(at, m.index) });
    out.push(m[1] === undefined ? { kind: 'bold', text: m[2]! } : { kind: 'code', text: m[1] });
    at = m.index + m[0].length;
  }
  if (at < text.length) out.push({ kind: 'text', text: text.slice(at) });
  return out;
}
/** Scanners wrap prose at a fixed width: a long line that doesn't end a sentence goes on in the next one. */
const wraps = (line: string) => line.length >= 60 && !/[.:;!?]$/.test(line);

/** What scanners write about a control: paragraphs, lists, fenced code. Never HTML. */
export function blocks(source: string): Block[] {
  const out: Block[] = [];
  let open: string[] = [];
  const close = () => {
    if (open.length > 0) out.push({ kind: 'p', lines: open.map(inline) });
    open = [];
  };
  const lines = source.replace(/\r\n?/g, '\n').split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const last = out.at(-1);
    if (FENCE.test(line)) {
      close();
      const body: string[] = [];
      while (++i < lines.length && !FENCE.test(lines[i]!)) body.push(lines[i]!);
      out.push({ kind: 'pre', text: body.join('\n') });
      continue;
    }
    const [bullet, number, head] = [BULLET.exec(line), NUMBER.exec(line), HEAD.exec(line)];
    if (bullet) {
      close();
      const list = out.at(-1);
      if (list?.kind === 'ul') list.items.push(inline(bullet[1]!)); else out.push({ kind: 'ul', items: [inline(bullet[1]!)] });
    } else if (number) {
      close();
      const list = out.at(-1);
      if (list?.kind === 'ol') list.items.push(inline(number[2]!)); else out.push({ kind: 'ol', start: Number(number[1]), items: [inline(number[2]!)] });
    } else if (head) { close(); out.push({ kind: 'p', lines: [[{ kind: 'bold', text: head[1]!.replaceAll('**', '') }]] }); }
    else if (line.trim() === '') close();
    else if (/^\s{2,}\S/.test(line) && open.length === 0 && (last?.kind === 'ul' || last?.kind === 'ol')) last.items.at(-1)!.push(...inline(` ${line.trim()}`));
    else if (open.length > 0 && wraps(open.at(-1)!)) open[open.length - 1] += ` ${line.trim()}`;
    else open.push(line.trim());
  }
  close();
  return out;
}

const Run = ({ parts }: { parts: Inline[] }) => parts.map((p, i) => (p.kind === 'code' ? <code key={i}>{p.text}</code> : p.kind === 'bold' ? <b key={i}>{p.text}</b> : <Fragment key={i}>{p.text}</Fragment>));
/** Text that came from a scanner. React escapes every character of it. */
export function RichText({ text }: { text: string }) {
  return (
    <div className="rich">
      {blocks(text).map((b, i) => {
        if (b.kind === 'pre') return <pre key={i} className="mono">{b.text}</pre>;
        if (b.kind === 'ul') return <ul key={i}>{b.items.map((x, k) => <li key={k}><Run parts={x} /></li>)}</ul>;
        if (b.kind === 'ol') return <ol key={i} start={b.start}>{b.items.map((x, k) => <li key={k}><Run parts={x} /></li>)}</ol>;
        return <p key={i}>{b.lines.map((x, k) => <Fragment key={k}>{k > 0 && <br />}<Run parts={x} /></Fragment>)}</p>;
      })}
    </div>
  );
}
/** An address out of a scan's file, or null when a browser shouldn't be led there. */
export function safeUrl(url: string | null | undefined): string | null {
  if (!url) return null;
  try { const u = new URL(url); return u.protocol === 'https:' || u.protocol === 'http:' ? u.href : null; } catch { return null; }
}
