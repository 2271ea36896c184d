import { Button } from '@mantine/core';
import { IconAlertTriangle, IconLock, IconMapOff, IconSnowflake } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { ApiProblem, keys, may, useProviderQuery, useProviderSlug, useSwitchable } from '../api';
import { Empty, ErrorState, GoButton, PageTitle, useDoorBrand } from '../ui';

/** Outside the shell. */
export function NotFound() { useDoorBrand(); return <main id="main" className="main"><NotHere /></main>; }
/** Inside it. */
export function NotHere() {
  const { t } = useTranslation();
  return <><PageTitle>{t('notFound.title')}</PageTitle><h1 className="vh">{t('notFound.title')}</h1><Empty icon={IconMapOff} title={t('notFound.title')} action={<GoButton to="/">{t('notFound.home')}</GoButton>}>{t('notFound.text')}</Empty></>;
}
export function TenantNotFound({ slug }: { slug: string }) {
  const { t } = useTranslation();
  return <><PageTitle>{t('notFound.tenantTitle')}</PageTitle><h1 className="vh">{t('notFound.tenantTitle')}</h1><Empty icon={IconMapOff} title={t('notFound.tenantTitle')} action={<GoButton to="/">{t('notFound.home')}</GoButton>}>{t('notFound.tenantText', { slug })}</Empty></>;
}
/** Somebody who was, or could be, in this tenant may not be there now: what the API says of it, and the way back. */
export function AccessLost({ slug, name, problem, retry }: { slug: string; name: string | undefined; problem: ApiProblem; retry: () => void }) {
  const { t } = useTranslation();
  const provider = useProviderSlug();
  const can = useProviderQuery(provider).data?.can;
  const client = useQueryClient();
  // The refusal says why in words; that it is a freeze stands in the provider's own list, once that is read anew.
  useEffect(() => { if (provider) void client.invalidateQueries({ queryKey: keys.provider(provider, 'switchable') }); }, [client, provider, problem]);
  const listed = useSwitchable(provider, '').items.find((c) => c.slug === slug);
  const frozen = listed?.relationship_state === 'frozen';
  const title = t(frozen ? 'lost.frozenTitle' : 'lost.title', { name: name ?? listed?.name ?? slug });
  return (
    <><PageTitle>{title}</PageTitle><h1 className="vh">{title}</h1>
      <Empty icon={frozen ? IconSnowflake : IconLock} title={title} action={<><GoButton to="/">{t(provider ? 'lost.back' : 'notFound.home')}</GoButton>{provider && may(can, 'tenant.list') && <GoButton variant="default" to={`/tenants/${encodeURIComponent(slug)}`}>{t('lost.record')}</GoButton>}<Button variant="default" onClick={retry}>{t('ui.tryAgain')}</Button></>}>
        {problem.why ?? problem.detail ?? t('problem.forbidden.text')}{problem.needs && ` ${t('ui.needs', { needs: problem.needs })}`}<br />{t('lost.text')}
      </Empty></>
  );
}
/** A page that threw. The shell around it stays. */
export function Broken({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (error instanceof ApiProblem) return <ErrorState error={error} retry={() => location.reload()} />;
  return <Empty icon={IconAlertTriangle} title={t('error.title')} action={<Button onClick={() => location.reload()}>{t('error.reload')}</Button>}>{t('error.text')}{error instanceof Error && <><br /><span className="mono">{error.message}</span></>}</Empty>;
}
