import { Button, Progress } from '@mantine/core';
import { IconCircleCheck, IconCircleDashed, IconCircleMinus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import { api, keys, permission, useProvider, type Onboarding as OnboardingData, type OnboardingStep, type Tenant } from '../../api';
import { Act, ErrorState, fmt, Go, Panel, RelativeTime, SkLines, tenantPath, toastProblem } from '../../ui';

const ICONS = { done: IconCircleCheck, open: IconCircleDashed, skipped: IconCircleMinus };
/** Where an open step is done. */
const WHERE: Partial<Record<OnboardingStep['key'], string>> = { members: 'members', credentials: 'api-keys', first_scan: 'scans' };

/** What makes a client ready, from facts: nobody ticks it off. What is not needed is skipped. */
export function Onboarding({ x, to }: { x: Tenant; to: string }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const key = keys.provider(provider.slug, 'onboarding', x.slug);
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get<OnboardingData>(`${to}/onboarding`, undefined, signal) });
  const can = permission(x.can, 'onboarding.update');
  const skip = (step: OnboardingStep, skipped: boolean) => void api.patch<OnboardingData>(`${to}/onboarding`, { step: step.key, skipped }).then((next) => { client.setQueryData(key, next); void client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'clients') }); }, toastProblem);
  if (data && data.done >= data.of && data.steps.every((s) => s.state === 'done')) return null;
  const words = data && t('onboarding.progress', { done: fmt.num(data.done), of: fmt.num(data.of) });
  return (
    <Panel title={t('onboarding.title')} actions={words && <span className="sm dim2 num">{words}</span>}>
      {error && !data ? <ErrorState error={error} retry={() => void refetch()} /> : !data ? <div className="pad"><SkLines lines={5} /></div> : (
        <>
          <div className="pad onboarding-bar"><Progress size={6} value={(data.done / Math.max(1, data.of)) * 100} aria-label={words} /></div>
          <ol className="step-list">{data.steps.map((s) => {
            const Shown = ICONS[s.state];
            return (
              <li key={s.key}><Shown size={20} stroke={1.7} className={s.state === 'done' ? 'good-ink' : 'dim'} aria-hidden />
                <div className="grow min0"><span className={s.state === 'open' ? 'semi' : undefined}>{t(`onboarding.steps.${s.key}`)}</span><span className="vh"> {t(`onboarding.state.${s.state}`)}</span><span className="xs dim block">{s.state === 'skipped' ? t('onboarding.state.skipped') : (s.detail ?? '')}{s.at && <> <RelativeTime at={s.at} /></>}</span></div>
                {s.state === 'open' && WHERE[s.key] && <Go to={tenantPath(x.slug, WHERE[s.key]!)} className="link sm">{t('onboarding.go')}<span className="vh">: {t(`onboarding.steps.${s.key}`)}</span></Go>}
                {s.state === 'open' && s.key !== 'created' && <Act size="compact-sm" variant="subtle" color="gray" can={can} onClick={() => skip(s, true)}>{t('onboarding.skip')}<span className="vh">: {t(`onboarding.steps.${s.key}`)}</span></Act>}
                {s.state === 'skipped' && <Button size="compact-sm" variant="subtle" color="gray" disabled={!can.allowed} onClick={() => skip(s, false)}>{t('onboarding.unskip')}<span className="vh">: {t(`onboarding.steps.${s.key}`)}</span></Button>}
              </li>);
          })}</ol>
        </>
      )}
    </Panel>
  );
}
