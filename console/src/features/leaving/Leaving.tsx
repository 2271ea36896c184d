import { Button, Checkbox, Select } from '@mantine/core';
import { IconCheck, IconClock, IconX } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import { api, keys, path, permission, useProvider, type Holding, type StaffLeaving, type StaffLeft } from '../../api';
import { Act, Av, Badge, DataTable, Empty, ErrorState, fmt, Go, GoButton, PageHead, PageSkeleton, Panel, useConfirm } from '../../ui';
import { choiceOf, counts, idOf, leavingBody, moveAll, undecided, type Choice, type Choices } from './choices';

/** Somebody goes: all they hold in one list, moved or ended in one act. */
export default function Leaving() {
  const { t } = useTranslation();
  const provider = useProvider();
  const { staff: id } = useParams({ strict: false }) as { staff: string };
  const [done, setDone] = useState<{ name: string; left: StaffLeft; holds: Holding[] } | null>(null);
  const { data, error, refetch } = useQuery({ queryKey: keys.provider(provider.slug, 'leaving', id), enabled: !done, queryFn: ({ signal }) => api.get<StaffLeaving>(path`/providers/${provider.slug}/staff/${id}/leaving`, undefined, signal) });
  if (done) return <Results {...done} staff={id} />;
  if (error && !data) return <><PageHead title={t('leaving.open')} /><ErrorState error={error} retry={() => void refetch()} /></>;
  if (!data) return <PageSkeleton />;
  return <Form data={data} staff={id} onDone={(left) => setDone({ name: data.person.name, left, holds: data.holds })} />;
}
function Form({ data: { person, holds, replacements }, staff, onDone }: { data: StaffLeaving; staff: string; onDone: (left: StaffLeft) => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const [choices, setChoices] = useState<Choices>(new Map());
  const [disable, setDisable] = useState(true);
  const [confirm, ask] = useConfirm();
  const { moves, ends } = counts(holds, choices);
  const open = undecided(holds, choices);
  const name = person.name;
  const put = (h: Holding, choice: Choice) => setChoices(new Map(choices).set(idOf(h), choice));
  const people = replacements.map((r) => ({ value: r.id, label: r.name }));
  const numbers = { moves: fmt.num(moves), ends: fmt.num(ends) };
  const movable = holds.some((h) => h.choices.includes('move'));
  const apply = () => ask({
    title: t('leaving.confirmTitle', { name }), danger: true, typed: name, label: t('leaving.apply', { name }), lines: [t('leaving.confirmLine', numbers)],
    run: async () => { const left = await api.post<StaffLeft>(path`/providers/${provider.slug}/staff/${staff}/leaving`, leavingBody(holds, choices, disable)); onDone(left); void client.invalidateQueries({ queryKey: keys.provider(provider.slug) }); },
  });
  return (
    <>
      <PageHead title={t('leaving.title', { name })} sub={t(holds.length === 0 ? 'leaving.subNone' : 'leaving.sub', { name })}><GoButton variant="default" to={`/staff/${staff}`}>{t('leaving.back')}</GoButton></PageHead>
      {holds.length > 0 && <div className="tools">{people.length === 0 ? <span className="sm dim2">{t('leaving.noReplacement')}</span> : movable && <Select w={260} aria-label={t('leaving.moveAllTo')} placeholder={t('leaving.moveAllTo')} searchable data={people} value={null} onChange={(to) => to && setChoices(moveAll(holds, to))} />}<Button variant="default" onClick={() => setChoices(new Map())}>{t('leaving.endAll')}</Button></div>}
      <DataTable<Holding> caption={t('leaving.title', { name })} rows={holds} rowKey={idOf} empty={<Empty title={t('leaving.subNone', { name })} />}
        columns={[
          { key: 'what', title: t('leaving.what'), cell: (h) => <span><Badge>{t(`leaving.kind.${h.kind}`)}</Badge> <span className="semi">{h.label}</span>{typeof h.count === 'number' && <span className="dim"> {t('leaving.count', { count: h.count })}</span>}</span> },
          { key: 'client', title: t('leaving.client'), cell: (h) => (h.tenant ? <span className="row"><Av slug={h.tenant.slug} name={h.tenant.name} small /><Go to={`/tenants/${h.tenant.slug}`} className="trunc">{h.tenant.name}</Go></span> : <span className="dim">–</span>) },
          { key: 'do', title: t('leaving.do'), width: 380, cell: (h) => <Decide h={h} choice={choiceOf(h, choices)} people={people} missing={open.includes(idOf(h))} onChange={(c) => put(h, c)} /> },
        ]} />
      <div className="gap-top2"><Panel pad><div className="fields">
        <Checkbox checked={disable} onChange={(e) => setDisable(e.currentTarget.checked)} label={t('leaving.disable', { name })} description={t('leaving.disableHelp')} />
        <div className="row wrap"><span className="grow dim2" role="status">{holds.length > 0 && t('leaving.summary', numbers)}</span><Act color="red" can={permission(provider.can, 'staff_leaving.apply')} reason={open.length > 0 && t('leaving.needPerson')} onClick={apply}>{t('leaving.apply', { name })}</Act></div>
      </div></Panel></div>
      {confirm}
    </>
  );
}
function Decide({ h, choice, people, missing, onChange }: { h: Holding; choice: Choice; people: { value: string; label: string }[]; missing: boolean; onChange: (choice: Choice) => void }) {
  const { t } = useTranslation();
  if (h.choices.length === 0) return <span className="dim">{t('leaving.stays')}</span>;
  if (!h.choices.includes('move') || people.length === 0) return <span className="dim2">{t('leaving.onlyEnds')}</span>;
  const label = `${t('leaving.do')}: ${h.label}`;
  return (
    <span className="row tight">
      <Select aria-label={label} w={130} allowDeselect={false} data={[{ value: 'end', label: t('leaving.end') }, { value: 'move', label: t('leaving.move') }]} value={choice.do} onChange={(v) => onChange(v === 'move' ? { do: 'move', to: '' } : { do: 'end' })} />
      {choice.do === 'move' && <Select aria-label={`${t('leaving.moveTo')}: ${h.label}`} placeholder={t('leaving.choosePerson')} searchable allowDeselect={false} className="grow" data={people} value={choice.to || null} error={missing && choice.to !== ''} onChange={(to) => onChange({ do: 'move', to: to ?? '' })} />}
    </span>
  );
}
function Results({ name, left, holds, staff }: { name: string; left: StaffLeft; holds: Holding[]; staff: string }) {
  const { t } = useTranslation();
  const labels = new Map(holds.map((h) => [idOf(h), h]));
  return (
    <>
      <PageHead title={t('leaving.done', { name })} sub={t('leaving.results')}><GoButton to={`/staff/${staff}`}>{t('leaving.back')}</GoButton></PageHead>
      <DataTable caption={t('leaving.results')} rows={left.results} rowKey={idOf} empty={<Empty title={t('leaving.done', { name })} />}
        columns={[
          { key: 'what', title: t('leaving.what'), cell: (r) => <span><Badge>{t(`leaving.kind.${r.kind}`)}</Badge> <span className="semi">{labels.get(idOf(r))?.label ?? r.id}</span></span> },
          { key: 'client', title: t('leaving.client'), cell: (r) => labels.get(idOf(r))?.tenant?.name ?? <span className="dim">–</span> },
          { key: 'outcome', title: t('leaving.results'), cell: (r) => <span><span className="with-dot">{r.outcome === 'failed' ? <IconX size={16} className="crit-text" aria-hidden /> : r.outcome === 'waiting' ? <IconClock size={16} className="near-ink" aria-hidden /> : <IconCheck size={16} className="good-ink" aria-hidden />}<span>{t(`leaving.outcome.${r.outcome}` as 'leaving.outcome.moved', { defaultValue: r.outcome })}</span></span>{r.detail && <span className="xs dim block">{r.detail}</span>}</span> },
        ]} />
    </>
  );
}
