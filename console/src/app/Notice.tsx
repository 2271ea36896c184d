import { Button } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import '../i18n/business';
import { keys, useMe, useMeUpdate, type Notice as NoticeData } from '../api';
import { fmt, toastProblem } from '../ui';

/** What an organisation is told once; each person puts it away for themselves. */
export default function Notice({ slug, name, notice }: { slug: string; name: string; notice: NoticeData }) {
  const { t } = useTranslation();
  const { person } = useMe();
  const client = useQueryClient();
  const update = useMeUpdate();
  const dismissed = person.preferences.dismissed ?? [];
  if (notice.kind !== 'licence_activated' || dismissed.includes(notice.kind)) return null;
  const putAway = () => update.mutate({ preferences: { ...person.preferences, dismissed: [...dismissed, notice.kind] } }, { onSuccess: () => void client.invalidateQueries({ queryKey: keys.tenant(slug, 'context') }), onError: toastProblem });
  return (
    <section className="frozen" aria-label={t('mspLicence.noticeTitle', { date: fmt.date(notice.at) })}>
      <IconInfoCircle size={22} aria-hidden />
      <div className="grow min0"><h2>{t('mspLicence.noticeTitle', { date: fmt.date(notice.at) })}</h2><p className="flush">{t('mspLicence.noticeText', { name, provider: notice.provider, by: notice.by })}</p></div>
      <Button variant="default" size="compact-md" loading={update.isPending} onClick={putAway}>{t('mspLicence.dismiss')}</Button>
    </section>
  );
}
