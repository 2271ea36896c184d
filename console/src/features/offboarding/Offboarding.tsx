import { Button, Modal, PasswordInput } from '@mantine/core';
import { IconCircleCheck, IconCircleDashed, IconDownload, IconGavel } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import '../../ui/business.css';
import { api, apiUrl, download, keys, may, path, permission, useTenant, type Offboarding as OffboardingData } from '../../api';
import { Act, ErrorState, fmt, FormProblem, Gate, Go, PageHead, Panel, RelativeTime, SkLines, Strength, tenantPath, toast, toastProblem, useApiForm, useChecks, useConfirm } from '../../ui';

export default function Offboarding() {
  const { t } = useTranslation();
  return <Gate title={t('offboarding.title')} action="offboarding.view"><Page /></Gate>;
}
/** How an organisation leaves: what it takes along, until when it is kept, and the wish to be purged. */
function Page() {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  const key = keys.tenant(slug, 'offboarding');
  const { data, error, refetch } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.get<OffboardingData>(path`/tenants/${slug}/offboarding`, undefined, signal) });
  const [exporting, setExporting] = useState(false);
  const [turn, setTurn] = useState(0);
  const name = tenant.name;
  const kept = data?.purge_after ? (Date.parse(data.purge_after) > Date.now() ? t('offboarding.keptUntil', { date: fmt.date(data.purge_after) }) : t('offboarding.purgeDue', { date: fmt.date(data.purge_after) })) : '';
  const sub = data && [t(`offboarding.sub.${data.state}` as 'offboarding.sub.active', { name }), kept].filter(Boolean).join('. ');
  const begin = () => { setTurn((n) => n + 1); setExporting(true); };
  const acts: Record<OffboardingData['steps'][number]['key'], React.ReactNode> = {
    export: <Act size="compact-md" variant="default" leftSection={<IconDownload size={15} />} can={permission(can, 'bundle.export')} onClick={begin}>{t('offboarding.exportBundle')}</Act>,
    ledger: may(can, 'ledger.export') ? <Button component="a" size="compact-md" variant="default" leftSection={<IconDownload size={15} />} href={apiUrl(path`/tenants/${slug}/ledger/export`)} download>{t('offboarding.exportLedger')}</Button> : <Act size="compact-md" variant="default" can={permission(can, 'ledger.export')}>{t('offboarding.exportLedger')}</Act>,
    access: may(can, 'provider_access.view') ? <Go to={tenantPath(slug, 'provider-access')} className="link sm">{t('offboarding.access')}</Go> : null,
  };
  return (
    <>
      <PageHead title={t('offboarding.title')} sub={sub} />
      {error && !data ? <ErrorState error={error} retry={() => void refetch()} /> : !data ? <Panel pad><SkLines lines={8} /></Panel> : (
        <div className="stack narrow">
          {data.hold && <section className="frozen" aria-label={t('offboarding.held')}><IconGavel size={22} aria-hidden /><div className="grow min0"><h2>{t('offboarding.held')}</h2><p className="flush">{t('offboarding.heldText')}</p><p className="flush sm dim2">{data.hold.by && `${data.hold.by.name}, `}<RelativeTime at={data.hold.at} />: <q>{data.hold.reason}</q></p></div></section>}
          <Panel title={t('offboarding.steps')}><ol className="step-list">{data.steps.map((s) => {
            const done = s.state === 'done';
            const Shown = done ? IconCircleCheck : IconCircleDashed;
            return <li key={s.key}><Shown size={20} stroke={1.7} className={done ? 'good-ink' : 'dim'} aria-hidden /><div className="grow min0"><span className={done ? undefined : 'semi'}>{t(`offboarding.step.${s.key}`)}</span><span className="vh"> {t(done ? 'offboarding.done' : 'offboarding.open')}</span>{s.detail && <span className="xs dim block">{s.detail}</span>}</div>{acts[s.key]}</li>;
          })}</ol></Panel>
          <Purge data={data} queryKey={key} />
        </div>
      )}
      <Bundle key={turn} opened={exporting} onClose={() => setExporting(false)} />
    </>
  );
}
function Purge({ data, queryKey }: { data: OffboardingData; queryKey: readonly unknown[] }) {
  const { t } = useTranslation();
  const { slug, tenant: { name }, can } = useTenant();
  const client = useQueryClient();
  const [confirm, ask] = useConfirm();
  const asked = data.purge_request;
  const to = path`/tenants/${slug}/purge-request`;
  const changed = () => client.invalidateQueries({ queryKey });
  const request = () => ask({ title: t('offboarding.askTitle', { name }), danger: true, typed: name, reason: t('offboarding.reason'), label: t('offboarding.ask'), lines: [t('offboarding.askLine')], run: async ({ reason }) => { await api.post(to, { reason }); await changed(); toast(t('offboarding.askedToast', { name })); } });
  const withdraw = () => void api.del(to).then(() => { toast(t('offboarding.withdrawn')); return changed(); }, toastProblem);
  return (
    <Panel title={t('offboarding.purge')} pad>
      {asked ? (
        <div className="row wrap"><p className="flush grow sm"><b className="block">{t('offboarding.asked')}</b><span className="dim2">{asked.by ? t('offboarding.askedBy', { name: asked.by.name }) : t(`offboarding.askedOf.${asked.side}`)} <RelativeTime at={asked.at} />: <q>{asked.reason}</q></span></p>
          <Act variant="default" can={permission(can, 'purge_request.withdraw')} reason={asked.side === 'provider' && t('offboarding.providers')} onClick={withdraw}>{t('offboarding.withdraw')}</Act></div>
      ) : <div className="row wrap"><p className="flush grow sm dim2">{t('offboarding.purgeText', { name })}</p><Act variant="default" color="red" can={permission(can, 'purge_request.create')} onClick={request}>{t('offboarding.ask')}</Act></div>}
      {confirm}
    </Panel>
  );
}
/** The whole organisation as one sealed file. */
function Bundle({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const { slug, tenant: { name } } = useTenant();
  const check = useChecks();
  const client = useQueryClient();
  const f = useApiForm({
    initial: { passphrase: '', again: '' }, validate: { passphrase: check.password, again: (v, all) => (v === all.passphrase ? null : t('form.mismatch')) },
    save: async (v) => { const file = await download(path`/tenants/${slug}/bundle`, { passphrase: v.passphrase }); onClose(); toast(t('offboarding.exported', { name: file.name, size: fmt.bytes(file.bytes) })); void client.invalidateQueries({ queryKey: keys.tenant(slug, 'offboarding') }); },
  });
  return (
    <Modal opened={opened} onClose={onClose} attributes={{ header: { role: 'presentation' } }} title={t('offboarding.exportTitle', { name })} size={460} closeButtonProps={{ 'aria-label': t('ui.close') }} transitionProps={{ duration: 100 }}>
      <form onSubmit={f.submit} noValidate className="fields">
        <p className="flush dim2">{t('offboarding.exportText')}</p>
        <FormProblem problem={f.problem} />
        <PasswordInput data-autofocus label={t('offboarding.passphrase')} required autoComplete="new-password" {...f.form.getInputProps('passphrase')} />
        <Strength password={f.form.values.passphrase} />
        <PasswordInput label={t('offboarding.passphraseAgain')} required autoComplete="new-password" {...f.form.getInputProps('again')} />
        {f.pending && <p className="flush sm dim2" role="status">{t('offboarding.exporting')}</p>}
        <div className="drawer-foot"><span className="grow" /><Button variant="default" onClick={onClose}>{t('ui.cancel')}</Button><Button type="submit" loading={f.pending}>{t('offboarding.exportBundle')}</Button></div>
      </form>
    </Modal>
  );
}
