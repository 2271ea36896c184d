import type { ReactNode } from 'react';
import { RelativeTime } from './time';

export interface TimelineItem { key: string; at: string | null; title: ReactNode; text?: ReactNode; color?: string }
export const Timeline = ({ label, items }: { label: string; items: TimelineItem[] }) => (
  <ol className="timeline" aria-label={label}>{items.map((i) => <li key={i.key}><span className="dot" aria-hidden style={{ background: i.color ?? 'var(--ink-3)' }} /><div><div className="sm">{i.title} <span className="xs dim">{i.at && <RelativeTime at={i.at} />}</span></div>{i.text && <div className="sm dim2">{i.text}</div>}</div></li>)}</ol>
);
