import { Select } from '@mantine/core';
import { IconCheck, IconMinus, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { WhyGrant, WhyStep } from '../../api';
import { actWords, Badge, Empty, fmt, groupActions, Panel } from '../../ui';

/** One action, found by its words or by its name. */
export function ActionSelect({ label, actions, value, onChange }: { label: string; actions: readonly string[]; value: string | undefined; onChange: (action: string | undefined) => void }) {
  const { t } = useTranslation();
  const all = value && !actions.includes(value) ? [...actions, value] : actions;
  const data = groupActions(all.map((name) => ({ name, module: null }))).map((g) => ({ group: t(`slice.${g.key}` as 'slice.member', { defaultValue: g.key }), items: g.actions.map((a) => ({ value: a.name, label: actWords(a.name) === a.name ? a.name : `${actWords(a.name)} (${a.name})` })) }));
  return <Select label={label} placeholder={t('why.actionHint')} w={{ base: '100%', sm: 380 }} searchable clearable maxDropdownHeight={320} data={data} value={value ?? null} onChange={(v) => onChange(v ?? undefined)} />;
}
/** "Assignment · technician T2 · Northwind IT" */
export function Grant({ g }: { g: WhyGrant }) {
  const { t } = useTranslation();
  const source = t(`ledger.source.${g.source}` as 'ledger.source.membership', { defaultValue: g.source });
  return <span className="row tight wrap">{g.source === 'break_glass' ? <Badge tone="bad">{source}</Badge> : <span>{source}</span>}<span className="dim2 sm">{[g.role && t(`role.${g.role}` as 'role.admin', { defaultValue: g.role }), g.tier, g.provider].filter(Boolean).join(' · ')}</span></span>;
}
/** Every grant with its own verdict: the union of what they allow holds, a stop holds over all. */
export function ThroughList({ steps, empty }: { steps: readonly WhyStep[]; empty: string }) {
  const { t } = useTranslation();
  if (steps.length === 0) return <Empty title={empty} />;
  return (
    <Panel title={t('why.grants', { count: steps.length })}>
      <ul className="grants">
        {steps.map((s) => (
          <li key={`${s.source}${s.id}`}>
            {s.allowed ? <IconCheck size={18} aria-hidden color="var(--ok)" /> : s.forbidden ? <IconX size={18} aria-hidden color="var(--crit)" /> : <IconMinus size={18} aria-hidden color="var(--ink-3)" />}
            <div className="min0 grow"><Grant g={s} /><p className="flush sm dim2">{t(s.allowed ? 'why.stepYes' : s.forbidden ? 'why.stepStop' : 'why.stepNo')} {s.why}</p><p className="flush xs dim"><span className="mono">{s.policy}</span>{s.id && <> · <span className="mono">{s.id}</span></>}{s.ends_at && <> · {t('why.until', { date: fmt.clock(s.ends_at) })}</>}</p></div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
