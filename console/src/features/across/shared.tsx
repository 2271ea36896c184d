import { Select } from '@mantine/core';
import { IconEyeOff } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useProvider, useSwitchable, type NamedPlace, type Unreadable } from '../../api';
import { Av, Go, tenantPath } from '../../ui';

/** Whose it is, with a link into that client. */
export function ClientCell({ of: c, page }: { of: NamedPlace; page: string }) {
  return <span className="row"><Av slug={c.slug} name={c.name} small /><Go to={tenantPath(c.slug, page)} className="trunc">{c.name}</Go></span>;
}
export function ClientFilter({ value, onChange }: { value: string | undefined; onChange: (slug: string | undefined) => void }) {
  const { t } = useTranslation();
  const [find, setFind] = useState('');
  const { items } = useSwitchable(useProvider().slug, find);
  return <Select aria-label={t('ledger.tenant')} placeholder={t('ledger.anyTenant')} w={210} searchable clearable allowDeselect searchValue={find} onSearchChange={setFind} value={value ?? null} onChange={(v) => onChange(v ?? undefined)} data={items.map((c) => ({ value: c.slug, label: c.name }))} />;
}
/** What is not in the list is said: a client that can't be read is no client without findings. */
export function NotRead({ of }: { of: Unreadable | undefined }) {
  const { t } = useTranslation();
  const missing = of?.unreadable ?? [];
  if (missing.length === 0) return null;
  return (
    <details className="note unread"><summary><IconEyeOff size={16} aria-hidden /> {t('across.unread', { count: missing.length })}</summary>
      <ul className="plain-list">{missing.map((x) => <li key={x.tenant.id}><b>{x.tenant.name}</b>: {x.why}</li>)}</ul></details>
  );
}
