import { ActionIcon, CopyButton, TextInput, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

/** A value to take along: read-only, selects itself, copies with one click. */
export function CopyField({ label, value, description }: { label: string; value: string; description?: string }) {
  const { t } = useTranslation();
  return <TextInput label={label} description={description} value={value} readOnly classNames={{ input: 'mono' }} onFocus={(e) => e.currentTarget.select()} rightSection={<CopyIcon value={value} label={t('ui.copyWhat', { what: label })} />} />;
}
export function CopyIcon({ value, label }: { value: string; label: string }) {
  const { t } = useTranslation();
  return <CopyButton value={value}>{({ copied, copy }) => <Tooltip label={copied ? t('ui.copied') : t('ui.copy')}><ActionIcon aria-label={copied ? t('ui.copied') : label} onClick={copy}>{copied ? <IconCheck size={16} color="var(--ok)" /> : <IconCopy size={16} stroke={1.7} />}</ActionIcon></Tooltip>}</CopyButton>;
}
