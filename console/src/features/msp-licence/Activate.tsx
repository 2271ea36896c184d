import { Textarea, TextInput } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import '../../i18n/business';
import { api, keys, path, permission, useTenant, type MspLicenceActivated } from '../../api';
import { Act, Empty, FileDrop, FormProblem, fmt, Gate, GoButton, PageHead, Panel, slugify, tenantPath, useApiForm, useChecks } from '../../ui';

const FILE_MAX = 65_536;

/** Turns an installation for one organisation into a provider's. Only there; elsewhere the operator renews. */
export default function Activate() {
  const { t } = useTranslation();
  return <Gate title={t('mspLicence.activateTitle')} action="msp_licence.activate"><Page /></Gate>;
}
function Page() {
  const { t } = useTranslation();
  const { slug, tenant, can } = useTenant();
  const client = useQueryClient();
  const check = useChecks();
  const [done, setDone] = useState<MspLicenceActivated | null>(null);
  const [file, setFile] = useState<{ name: string; size: number } | null>(null);
  const [ownSlug, setOwnSlug] = useState(false);
  const f = useApiForm({
    initial: { licence: '', provider_name: '', provider_slug: '' }, validate: { licence: check.filled, provider_name: check.filled, provider_slug: check.slug },
    save: async (v) => {
      const activated = await api.post<MspLicenceActivated>(path`/tenants/${slug}/msp-licence`, { ...v, licence: v.licence.trim(), provider_name: v.provider_name.trim() });
      // The person has a provider now: the way to its dashboard is open once /me says so.
      await client.invalidateQueries({ queryKey: keys.me });
      setDone(activated);
      void client.invalidateQueries({ queryKey: keys.tenant(slug) });
    },
  });
  const g = f.form.getInputProps;
  const take = async (chosen: File) => {
    if (chosen.size > FILE_MAX) { f.form.setFieldError('licence', t('mspLicence.tooBig')); return; }
    f.form.setFieldValue('licence', await chosen.text());
    f.form.clearFieldError('licence');
    setFile({ name: chosen.name, size: chosen.size });
  };
  if (done) {
    const { linked } = done.notice;
    return (
      <><PageHead title={t('mspLicence.done', { provider: done.provider.name })} sub={t('mspLicence.doneText', { name: tenant.name })} />
        <Empty icon={IconCircleCheck} title={t('mspLicence.done', { provider: done.provider.name })} action={<><GoButton to="/" search={{ provider: done.provider.slug }}>{t('mspLicence.toDashboard')}</GoButton><GoButton variant="default" to={tenantPath(slug)}>{t('mspLicence.stay', { name: tenant.name })}</GoButton></>}>{linked ? t('mspLicence.linked', { members: fmt.num(linked.members), scans: fmt.num(linked.scans), findings: fmt.num(linked.findings_open) }) : t('mspLicence.doneText', { name: tenant.name })}</Empty></>
    );
  }
  return (
    <>
      <PageHead title={t('mspLicence.activateTitle')} sub={t('mspLicence.activateSub')} />
      <form onSubmit={f.submit} noValidate className="stack narrow">
        <FormProblem problem={f.problem} />
        <Panel title={t('mspLicence.file')} pad><div className="fields">
          <FileDrop label={file ? t('mspLicence.chosen', { name: file.name, size: fmt.bytes(file.size) }) : t('mspLicence.fileDrop')} hint={t('mspLicence.fileHint')} onFile={(x) => void take(x)} />
          <Textarea label={t('mspLicence.paste')} rows={5} spellCheck={false} classNames={{ input: 'mono' }} {...g('licence')} />
        </div></Panel>
        <Panel title={t('setup.provider')} pad><div className="fields">
          <TextInput label={t('mspLicence.providerName')} required maw={420} autoComplete="organization" {...g('provider_name')} onChange={(e) => { f.form.setFieldValue('provider_name', e.currentTarget.value); if (!ownSlug) f.form.setFieldValue('provider_slug', slugify(e.currentTarget.value)); }} />
          <TextInput label={t('mspLicence.providerSlug')} required maw={420} description={t('setup.slugHelp')} classNames={{ input: 'mono' }} {...g('provider_slug')} onChange={(e) => { setOwnSlug(e.currentTarget.value !== ''); f.form.setFieldValue('provider_slug', e.currentTarget.value); }} />
        </div></Panel>
        <Panel title={t('mspLicence.what')} pad><ul className="plain-list"><li>{t('mspLicence.whatLines.you')}</li><li>{t('mspLicence.whatLines.here', { name: tenant.name })}</li><li>{t('mspLicence.whatLines.access', { name: tenant.name })}</li></ul></Panel>
        <div><Act type="submit" can={permission(can, 'msp_licence.activate')} loading={f.pending}>{t('mspLicence.activate')}</Act></div>
      </form>
    </>
  );
}
