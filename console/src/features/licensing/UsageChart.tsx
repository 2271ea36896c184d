import { useElementSize } from '@mantine/hooks';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import type { UsageMonth } from '../../api';
import { fmt } from '../../ui';
import { axisFrom0, stepPath } from '../../ui/steps';

const [LEFT, RIGHT, TOP, BOTTOM, HEIGHT] = [52, 12, 8, 26, 180];

/** Users and seats, month by month. Whoever can't see it reads the sentence or opens the table. */
export function UsageChart({ items }: { items: UsageMonth[] }) {
  const { t } = useTranslation();
  const { ref, width } = useElementSize();
  const id = useId();
  const { top, ticks } = axisFrom0(Math.max(1, ...items.map((m) => Math.max(m.users, m.capacity))));
  const [w, h] = [Math.max(0, width - LEFT - RIGHT), HEIGHT - TOP - BOTTOM];
  const [first, last] = [items[0], items.at(-1)];
  const every = w < 420 ? 3 : w < 760 ? 2 : 1;
  const x = (i: number) => (items.length < 2 ? 0 : (i / (items.length - 1)) * w);
  const users = stepPath(items.map((m) => m.users), top, w, h);
  return (
    <figure className="chart short" ref={ref}>
      <div className="legend-row" aria-hidden><span><i className="dot" style={{ background: 'var(--chart-3)' }} />{t('licensing.chartCapacity')}</span><span><i className="dot" style={{ background: 'var(--chart-1)' }} />{t('licensing.chartUsers')}</span></div>
      {width === 0 ? <div style={{ height: HEIGHT }} /> : (
        <svg width={width} height={HEIGHT} role="img" aria-labelledby={`${id}t ${id}d`}>
          <title id={`${id}t`}>{t('licensing.chartTitle')}</title>
          <desc id={`${id}d`}>{first && last && t('licensing.chartDesc', { from: fmt.num(first.users), fromCapacity: fmt.num(first.capacity), fromMonth: fmt.month(first.month), to: fmt.num(last.users), toCapacity: fmt.num(last.capacity), toMonth: fmt.month(last.month) })}</desc>
          <g transform={`translate(${LEFT} ${TOP})`} aria-hidden>
            {ticks.map((v) => { const y = h - (v / top) * h; return <g key={v}><line x1={0} x2={w} y1={y} y2={y} stroke="var(--line)" /><text x={-10} y={y + 4} textAnchor="end">{fmt.num(v)}</text></g>; })}
            {items.map((m, i) => (items.length - 1 - i) % every === 0 && <text key={m.month} x={x(i)} y={h + 19} textAnchor={i === 0 ? 'start' : i === items.length - 1 ? 'end' : 'middle'}>{fmt.monthShort(m.month)}</text>)}
            <path d={`${users}V${h}H0Z`} fill="var(--chart-1)" opacity=".09" />
            <path d={stepPath(items.map((m) => m.capacity), top, w, h)} fill="none" stroke="var(--chart-3)" strokeWidth={2} strokeLinejoin="round" />
            <path d={users} fill="none" stroke="var(--chart-1)" strokeWidth={2} strokeLinejoin="round" />
            {items.map((m, i) => <rect key={m.month} x={x(i) - w / items.length / 2} y={0} width={w / items.length} height={h} fill="transparent"><title>{`${fmt.month(m.month)}: ${fmt.num(m.users)} / ${fmt.num(m.capacity)}`}</title></rect>)}
          </g>
        </svg>
      )}
    </figure>
  );
}
/** The same, to read. */
export function UsageTable({ items }: { items: UsageMonth[] }) {
  const { t } = useTranslation();
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
    <div className="chart-table" tabIndex={0} role="region" aria-label={`${t('licensing.chartUsers')}, ${t('licensing.chartCapacity')}`}>
      <table className="tbl"><caption className="vh">{t('licensing.chartTitle')}</caption><thead><tr><th scope="col">{t('licensing.month')}</th><th scope="col" className="r">{t('licensing.chartUsers')}</th><th scope="col" className="r">{t('licensing.chartCapacity')}</th></tr></thead>
        <tbody>{items.toReversed().map((m) => <tr key={m.month}><td data-label={t('licensing.month')}>{fmt.month(m.month)}</td><td data-label={t('licensing.chartUsers')} className="r num">{fmt.num(m.users)}</td><td data-label={t('licensing.chartCapacity')} className="r num">{fmt.num(m.capacity)}</td></tr>)}</tbody></table>
    </div>
  );
}
