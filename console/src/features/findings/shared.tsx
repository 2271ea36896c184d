import { useTranslation } from 'react-i18next';
import type { Finding, FindingStatus, Lifecycle } from '../../api';
import { Av, Badge, type Tone } from '../../ui';

export const STATUSES = ['open', 'overridden', 'passed', 'fixed', 'manual'] as const satisfies readonly FindingStatus[];
export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'informational', 'unknown'] as const;
export const LIFECYCLES = ['new', 'recurring', 'returned', 'fixed'] as const satisfies readonly Lifecycle[];
const TONES: Record<FindingStatus, Tone> = { open: 'near', overridden: 'plain', passed: 'good', fixed: 'good', manual: 'plain' };

export function Status({ f }: { f: Pick<Finding, 'status' | 'assignee'> }) {
  const { t } = useTranslation();
  return <span className="row tight"><Badge tone={TONES[f.status]}>{t(f.status === 'open' && f.assignee ? 'findings.assigned' : `findings.status.${f.status}`)}</Badge>{f.assignee && <span title={f.assignee.name} className="assignee"><Av slug={f.assignee.id} name={f.assignee.name} small round /><span className="vh">{f.assignee.name}</span></span>}</span>;
}
export function LifecycleBadge({ l }: { l: Lifecycle }) {
  const { t } = useTranslation();
  return <Badge tone={l === 'returned' ? 'bad' : l === 'fixed' ? 'good' : 'plain'}>{t(`findings.lifecycle.${l}`)}</Badge>;
}
