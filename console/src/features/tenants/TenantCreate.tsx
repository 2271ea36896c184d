import { Button, Select, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api, keys, path, TIERS, usePlans, useProvider, type Tenant, type TenantCreate as Body } from '../../api';
import { CopyField, Fields, fmt, FormDrawer, GoButton, SideDrawer, slugify, tenantPath, toast, useApiForm, useChecks } from '../../ui';

/** Opened by ?add=client wherever one is. Once added, it shows the invitation link, once. */
export default function TenantCreate({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const [made, setMade] = useState<Tenant | null>(null);
  const [turn, setTurn] = useState(0);
  const close = () => { onClose(); setMade(null); setTurn((n) => n + 1); };
  if (made) {
    return (
      <SideDrawer opened={opened} onClose={close} title={t('tenants.added', { name: made.name })}>
        <Fields>
          {made.invitation && <CopyField label={t('tenants.inviteLink')} value={made.invitation.url} description={t('tenants.inviteHelp', { date: fmt.date(made.invitation.expires_at), email: made.invitation.email })} />}
          <div className="drawer-foot"><span className="grow" /><Button variant="default" onClick={close}>{t('ui.done')}</Button><GoButton to={tenantPath(made.slug)}>{t('tenants.openClient')}</GoButton></div>
        </Fields>
      </SideDrawer>
    );
  }
  return <CreateForm key={turn} opened={opened} onClose={close} onMade={(x) => { toast(t('tenants.added', { name: x.name })); if (x.invitation) setMade(x); else close(); }} />;
}
function CreateForm({ opened, onClose, onMade }: { opened: boolean; onClose: () => void; onMade: (tenant: Tenant) => void }) {
  const { t } = useTranslation();
  const provider = useProvider();
  const client = useQueryClient();
  const check = useChecks();
  const plans = usePlans(provider.slug, opened);
  const [ownSlug, setOwnSlug] = useState(false);
  const f = useApiForm({
    initial: { name: '', slug: '', plan: '', tier: 'T2', industry: '', ends_at: '', admin_email: '' },
    validate: { name: check.filled, slug: check.slug, plan: check.filled, ends_at: check.future, admin_email: check.emailOrEmpty },
    save: async (v) => {
      const body: Body = { name: v.name.trim(), slug: v.slug, plan: v.plan, tier: v.tier as Body['tier'], industry: v.industry.trim() || undefined, ends_at: v.ends_at ? fmt.endOfDay(v.ends_at) : undefined, admin_email: v.admin_email.trim() || undefined };
      const tenant = await api.post<Tenant>(path`/providers/${provider.slug}/tenants`, body);
      void client.invalidateQueries({ queryKey: keys.provider(provider.slug) });
      onMade(tenant);
    },
  });
  const g = f.form.getInputProps;
  return (
    <FormDrawer opened={opened} onClose={onClose} title={t('tenants.addTitle')} sub={t('tenants.addSub')} form={f} submitLabel={t('tenants.add')}>
      <TextInput data-autofocus label={t('tenants.fieldName')} required {...g('name')} data-path="name" onChange={(e) => { f.form.setFieldValue('name', e.currentTarget.value); if (!ownSlug) f.form.setFieldValue('slug', slugify(e.currentTarget.value)); }} />
      <TextInput label={t('tenants.fieldSlug')} required description={t('tenants.slugHelp', { slug: f.form.values.slug || '…' })} classNames={{ input: 'mono' }} {...g('slug')} data-path="slug" onChange={(e) => { setOwnSlug(e.currentTarget.value !== ''); f.form.setFieldValue('slug', e.currentTarget.value); }} />
      <Select label={t('tenants.fieldPlan')} required placeholder=" " data={(plans.data?.items ?? []).filter((p) => p.state === 'active').map((p) => ({ value: p.name, label: `${p.name} (${p.limits.seats === null ? t('tenants.seatsUnlimited') : t('tenants.seatsOf', { n: fmt.num(p.limits.seats) })})` }))} {...g('plan')} data-path="plan" />
      <Select label={t('tenants.fieldTier')} description={t(`tier.allows.${f.form.values.tier as 'T2'}`)} data={TIERS.map((x) => ({ value: x, label: `${x} ${t(`tier.${x}`)}` }))} {...g('tier')} data-path="tier" />
      <TextInput label={t('tenants.fieldIndustry')} {...g('industry')} data-path="industry" />
      <TextInput type="date" label={t('tenants.fieldEnds')} description={t('tenants.endsHelp')} {...g('ends_at')} data-path="ends_at" />
      <TextInput type="email" label={t('tenants.fieldAdmin')} description={t('tenants.adminHelp')} autoComplete="off" {...g('admin_email')} data-path="admin_email" />
    </FormDrawer>
  );
}
