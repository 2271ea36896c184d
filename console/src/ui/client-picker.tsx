import { Checkbox, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useProviderSlug, useSwitchable, type NamedPlace } from '../api';
import { num } from './format';

/** Chooses clients by search and tick; those chosen stand above, wherever the search is. */
export function ClientPicker({ label, help, value, onChange, error }: { label: string; help?: string; value: readonly NamedPlace[]; onChange: (next: NamedPlace[]) => void; error?: React.ReactNode }) {
  const { t } = useTranslation();
  const [q, setQ] = useState('');
  const [asked] = useDebouncedValue(q.trim(), 200);
  const { items, total, loading } = useSwitchable(useProviderSlug(), asked);
  const needle = q.trim().toLowerCase();
  const shown = items.filter((c) => c.name.toLowerCase().includes(needle) || c.slug.includes(needle));
  const chosen = new Set(value.map((c) => c.slug));
  const toggle = (c: NamedPlace, on: boolean) => onChange(on ? [...value, { id: c.id, slug: c.slug, name: c.name }] : value.filter((x) => x.slug !== c.slug));
  return (
    <fieldset className="picker">
      <legend className="legend">{label}</legend>
      {help && <p className="xs dim flush">{help}</p>}
      {value.length > 0 && <ul className="pills" aria-label={t('clientPicker.chosen')}>{value.map((c) => <li key={c.slug}><button type="button" className="chip slim" onClick={() => toggle(c, false)}>{c.name}<IconX size={13} aria-hidden /><span className="vh">{t('ui.remove')}</span></button></li>)}</ul>}
      <TextInput size="xs" type="search" aria-label={t('clientPicker.search')} placeholder={t('clientPicker.search')} leftSection={<IconSearch size={14} aria-hidden />} value={q} onChange={(e) => setQ(e.currentTarget.value)} />
      <p className="xs dim flush" role="status">{t('clientPicker.count', { n: num(value.length), total: num(total) })}</p>
      <div className="picker-box">
        <div className="picker-list">{shown.map((c) => <Checkbox key={c.slug} size="xs" label={c.name} checked={chosen.has(c.slug)} onChange={(e) => toggle(c, e.currentTarget.checked)} />)}</div>
        {!loading && shown.length === 0 && <p className="sm dim flush pad">{t('ui.nothingMatches')}</p>}
      </div>
      {error && <p className="xs crit-text flush">{error}</p>}
    </fieldset>
  );
}
