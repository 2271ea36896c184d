import { Button } from '@mantine/core';
import { IconAlertTriangle, IconMapOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { ApiProblem } from '../api';
import { Empty, ErrorState, GoButton } from '../ui';

/** Outside the shell. */
export const NotFound = () => <main id="main" className="main"><NotHere /></main>;
/** Inside it. */
export function NotHere() {
  const { t } = useTranslation();
  return <><title>{`${t('notFound.title')} · Tenantry`}</title><h1 className="vh">{t('notFound.title')}</h1><Empty icon={IconMapOff} title={t('notFound.title')} action={<GoButton to="/">{t('notFound.home')}</GoButton>}>{t('notFound.text')}</Empty></>;
}
export function TenantNotFound({ slug }: { slug: string }) {
  const { t } = useTranslation();
  return <><title>{`${t('notFound.tenantTitle')} · Tenantry`}</title><h1 className="vh">{t('notFound.tenantTitle')}</h1><Empty icon={IconMapOff} title={t('notFound.tenantTitle')} action={<GoButton to="/">{t('notFound.home')}</GoButton>}>{t('notFound.tenantText', { slug })}</Empty></>;
}
/** A page that threw. The shell around it stays. */
export function Broken({ error }: { error: unknown }) {
  const { t } = useTranslation();
  if (error instanceof ApiProblem) return <ErrorState error={error} retry={() => location.reload()} />;
  return <Empty icon={IconAlertTriangle} title={t('error.title')} action={<Button onClick={() => location.reload()}>{t('error.reload')}</Button>}>{t('error.text')}{error instanceof Error && <><br /><span className="mono">{error.message}</span></>}</Empty>;
}
