import { Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import { api, isProblem, keys, path, permission, useProvider, type Preset, type PresetList } from '../../api';
import { Act, Badge, DataTable, Empty, ErrorState, FormProblem, fmt, Panel, SideDrawer, SkLines, text, toast, useAddress } from '../../ui';
import { useSettingWords } from '../../ui/settings';

/** Five ways to work, each setting everything at once. What it would change is shown first, and only exactly that is applied. */
export function Presets() {
  const { t } = useTranslation();
  const provider = useProvider();
  const [{ preset }, set] = useAddress({ preset: text });
  const { data, error, refetch } = useQuery({ queryKey: keys.provider(provider.slug, 'presets'), queryFn: ({ signal }) => api.get<PresetList>(path`/providers/${provider.slug}/presets`, undefined, signal) });
  const opened = data?.items.find((p) => p.key === preset);
  const name = (key: string) => t(`preset.of.${key}.name` as 'preset.of.strict.name', { defaultValue: key });
  return (
    <Panel title={t('preset.title')}>
      {error && !data ? <ErrorState error={error} retry={() => void refetch()} /> : !data ? <div className="pad"><SkLines lines={5} /></div> : (
        <ul className="preset-list">{data.items.map((p) => (
          <li key={p.key}>
            <div className="grow min0"><span className="semi">{name(p.key)}</span> {p.key === data.current && <Badge tone="good">{t('preset.current')}</Badge>}<p className="xs dim flush">{t(`preset.of.${p.key}.text` as 'preset.of.strict.text', { defaultValue: '' })}</p></div>
            <span className="sm dim2">{p.differences.length === 0 ? t('preset.same') : t('preset.differs', { count: p.differences.length })}</span>
            <Button size="compact-md" variant="default" onClick={() => set({ preset: p.key })}>{t('preset.compare')}<span className="vh">: {name(p.key)}</span></Button>
          </li>))}
        </ul>
      )}
      <SideDrawer opened={opened !== undefined} onClose={() => set({ preset: undefined })} title={opened ? t('preset.apply', { name: name(opened.key) }) : ''} size={720}>{opened && <Differences p={opened} name={name(opened.key)} onClose={() => set({ preset: undefined })} />}</SideDrawer>
    </Panel>
  );
}
function Differences({ p, name, onClose }: { p: Preset; name: string; onClose: () => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const words = useSettingWords();
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const apply = async () => {
    if (pending) return;
    setPending(true); setProblem(null);
    try {
      await api.post(path`/providers/${provider.slug}/presets/${p.key}`, { expected: p.differences.map(({ key, from, to }) => ({ key, from, to })) });
      await client.invalidateQueries({ queryKey: keys.provider(provider.slug) });
      toast(t('preset.applied', { name }));
      onClose();
    } catch (e) {
      setProblem(e);
      // Something moved since it was shown: what is there now is loaded, to be looked at.
      if (isProblem(e, 'conflict')) void client.invalidateQueries({ queryKey: keys.provider(provider.slug, 'presets') });
    } finally { setPending(false); }
  };
  return (
    <div className="fields">
      <p className="flush dim2">{t('preset.before')}</p>
      <FormProblem problem={problem} />
      <DataTable caption={t('preset.differences')} rows={p.differences} rowKey={(d) => d.key} empty={<Empty bare title={t('preset.same')} />}
        columns={[
          { key: 'what', title: t('preset.setting'), cell: (d) => <span className="semi">{words.label(d.key)}</span> },
          { key: 'from', title: t('preset.from'), cell: (d) => <del>{words.value(d.key, d.from)}</del> },
          { key: 'to', title: t('preset.to'), cell: (d) => <ins>{words.value(d.key, d.to)}</ins> },
          { key: 'affects', title: t('preset.affects'), cell: (d) => (d.affects.tenants + d.affects.people === 0 ? <span className="dim">{t('preset.nobody')}</span> : [d.affects.tenants > 0 && t('preset.tenants', { count: d.affects.tenants }), d.affects.people > 0 && t('preset.people', { count: d.affects.people })].filter(Boolean).join(', ')) },
        ]} />
      <div className="drawer-foot"><span className="xs dim">{t('preset.stays')}</span><span className="grow" /><Button variant="default" onClick={onClose}>{t('ui.cancel')}</Button><Act can={permission(provider.can, 'preset.apply')} loading={pending} reason={p.differences.length === 0 && t('preset.same')} onClick={() => void apply()}>{t('preset.applyN', { n: fmt.num(p.differences.length), count: p.differences.length })}</Act></div>
    </div>
  );
}
