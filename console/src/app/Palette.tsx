import '@mantine/spotlight/styles.css';
import { Spotlight, spotlight, type SpotlightActionGroupData } from '@mantine/spotlight';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

/** Loaded the first time it is asked for; `asked` counts how often. */
export default function Palette({ actions, asked }: { actions: SpotlightActionGroupData[]; asked: number }) {
  const { t } = useTranslation();
  const [query, setQuery] = useState('');
  useEffect(() => { if (asked > 0) { setQuery(''); spotlight.open(); } }, [asked]);
  return <Spotlight actions={actions} query={query} onQueryChange={setQuery} nothingFound={t('shell.nothingFound')} highlightQuery limit={12} radius="lg" scrollable maxHeight={420} shortcut={null} attributes={{ content: { 'aria-label': t('shell.palette') } }} searchProps={{ leftSection: <IconSearch size={18} aria-hidden />, placeholder: t('shell.palettePlaceholder'), 'aria-label': t('shell.searchShort') }} />;
}
