import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api, keys, path, permission, useProvider, type List, type Plan, type PlanVersion } from '../../api';
import { Act, Badge, ErrorState, fmt, RelativeTime, SideDrawer, SkLines } from '../../ui';
import { Changes } from './bits';

/** Every version, newest first, with what it does differently from the one before and who is still on it. */
export function VersionsDrawer({ plan, onClose, onMove }: { plan: Plan | undefined; onClose: () => void; onMove: (plan: Plan) => void }) {
  const { t } = useTranslation();
  return <SideDrawer opened={plan !== undefined} onClose={onClose} title={plan ? t('plans.versionsTitle', { name: plan.name }) : ''} size={520}>{plan && <Versions plan={plan} onMove={onMove} />}</SideDrawer>;
}
function Versions({ plan, onMove }: { plan: Plan; onMove: (plan: Plan) => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const { data, error, refetch } = useQuery({ queryKey: keys.provider(provider.slug, 'plan-versions', plan.id), queryFn: ({ signal }) => api.get<List<PlanVersion>>(path`/providers/${provider.slug}/plans/${plan.id}/versions`, undefined, signal) });
  if (error && !data) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!data) return <SkLines lines={8} />;
  const items = data.items.toSorted((a, b) => b.number - a.number);
  return (
    <div className="fields">
      {plan.grandfathered_count > 0 && plan.state === 'active' && <div className="row wrap"><p className="flush grow dim2">{t('plans.older', { count: plan.grandfathered_count })}</p><Act size="compact-md" variant="default" can={permission(provider.can, 'plan.assign')} onClick={() => onMove(plan)}>{t('plans.moveAll')}</Act></div>}
      <ol className="version-list">
        {items.map((v, i) => (
          <li key={v.number}>
            <h3 className="flush row tight wrap">{t('plans.versionN', { n: String(v.number) })}{i === 0 && <Badge tone="good">{t('plans.newest')}</Badge>}<span className="grow" /><span className="sm dim2 num">{t('plans.clients', { count: v.client_count })}</span></h3>
            <p className="xs dim flush">{fmt.date(v.created_at)} (<RelativeTime at={v.created_at} />){v.by && ` ${t('plans.by', { name: v.by.name })}`}</p>
            {items[i + 1] ? <Changes from={items[i + 1]!} to={v} none={t('plans.same')} /> : <p className="flush sm dim">{t('plans.first')}: {fmt.micros(v.price.month, v.price.currency)}, {v.modules.map((m) => t(`module.${m}` as 'module.compliance', { defaultValue: m })).join(', ')}</p>}
          </li>
        ))}
      </ol>
    </div>
  );
}
