import { useElementSize } from '@mantine/hooks';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ScorePoint } from '../api';
import { date, dayMonth, num, percent } from './format';
import { dayTicks, linePath, nearest, place, scoreDomain, scoreTicks, type Frame } from './score-scale';
import { useNow } from './time';

const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [44, 8, 10, 28, 220];

/** The score of each complete scan over time. Whoever can't see it reads the sentence or opens the table. */
export function ScoreChart({ items, days }: { items: ScorePoint[]; days: number }) {
  const { t } = useTranslation();
  const { ref, width } = useElementSize();
  const [over, setOver] = useState(-1);
  const id = useId();
  const now = useNow();
  const points = items.toSorted((a, b) => Date.parse(a.at) - Date.parse(b.at));
  const scores = points.map((p) => p.score);
  const domain = scoreDomain(scores);
  const frame: Frame = { from: now - days * 86_400_000, to: now, domain, width: Math.max(0, width - LEFT - RIGHT), height: HEIGHT - TOP - BOTTOM };
  const spots = points.map((p) => place(frame, Date.parse(p.at), p.score));
  const shown = points[over];
  const [first, last] = [points[0], points.at(-1)];
  const label = first && last ? t('chart.desc', { from: percent(first.score), fromDay: date(first.at), to: percent(last.score), toDay: date(last.at), low: percent(Math.min(...scores)), high: percent(Math.max(...scores)), count: points.length }) : '';
  return (
    <figure className="chart" ref={ref} onPointerMove={(e) => setOver(nearest(spots, e.clientX - e.currentTarget.getBoundingClientRect().left - LEFT))} onPointerLeave={() => setOver(-1)}>
      {width === 0 ? <div style={{ height: HEIGHT }} /> : (
        <svg width={width} height={HEIGHT} role="img" aria-labelledby={`${id}t ${id}d`}>
          <title id={`${id}t`}>{t('chart.title', { count: days })}</title><desc id={`${id}d`}>{label}</desc>
          <g transform={`translate(${LEFT} ${TOP})`} aria-hidden>
            {scoreTicks(domain).map((v) => { const { y } = place(frame, now, v); return <g key={v}><line x1={0} x2={frame.width} y1={y} y2={y} stroke="var(--line)" /><text x={-10} y={y + 4} textAnchor="end">{percent(v)}</text></g>; })}
            {dayTicks(frame.from, frame.to, width < 460 ? 3 : 6).map((d) => <text key={d} x={place(frame, d, 0).x} y={frame.height + 20} textAnchor="middle">{dayMonth(d)}</text>)}
            {spots.length > 1 && <path d={`${linePath(spots)}L${spots.at(-1)!.x} ${frame.height}L${spots[0]!.x} ${frame.height}Z`} fill="var(--chart-1)" opacity=".09" />}
            <path d={linePath(spots)} fill="none" stroke="var(--chart-1)" strokeWidth={2} strokeLinejoin="round" />
            {spots[over] && <line x1={spots[over].x} x2={spots[over].x} y1={0} y2={frame.height} stroke="var(--line-strong)" />}
            {spots.map((s, i) => <circle key={points[i]!.scan + points[i]!.at} cx={s.x} cy={s.y} r={i === over ? 5 : i === spots.length - 1 ? 4 : spots.length > 45 ? 0 : 2.5} fill="var(--chart-1)" stroke="var(--surface)" strokeWidth={i === over ? 2 : 1} />)}
          </g>
        </svg>
      )}
      {shown && spots[over] && <div className="chart-tip" aria-hidden style={{ insetInlineStart: Math.min(Math.max(LEFT + spots[over].x, 80), width - 80), top: Math.max(TOP + spots[over].y - 64, 0) }}><b className="num">{percent(shown.score)}</b><span>{date(shown.at)}</span><span>{t('chart.tip', { passed: num(shown.passed), failed: num(shown.failed) })}</span></div>}
    </figure>
  );
}
/** The same, to read. */
export function ScoreTable({ items }: { items: ScorePoint[] }) {
  const { t } = useTranslation();
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <div className="chart-table" tabIndex={0} role="region" aria-label={t('chart.caption')}>
      <table className="tbl"><caption className="vh">{t('chart.caption')}</caption>
        <thead><tr><th scope="col">{t('chart.date')}</th>{(['score', 'passed', 'failed', 'overridden', 'critical', 'high'] as const).map((k) => <th key={k} scope="col" className="r">{t(`chart.${k}`)}</th>)}</tr></thead>
        <tbody>{items.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at)).map((p) => <tr key={p.scan + p.at}><td data-label={t('chart.date')}>{date(p.at)}</td><td data-label={t('chart.score')} className="r num semi">{percent(p.score)}</td>{(['passed', 'failed', 'overridden', 'critical', 'high'] as const).map((k) => <td key={k} data-label={t(`chart.${k}`)} className="r num">{num(p[k])}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}
