import { Button, Modal, TextInput } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { FormProblem } from './form';

export interface Ask {
  title: string;
  /** What will happen, and to how much. */
  lines: ReactNode[];
  label: string; danger?: boolean;
  /** The name that has to be typed first. */
  typed?: string;
  /** A sentence the person writes, sent along (suspend, archive). */
  reason?: string;
  run: (given: { typed: string; reason: string }) => Promise<unknown>;
}
/** const [confirm, ask] = useConfirm(); … {confirm} … ask({ title, lines, label, run }) */
export function useConfirm(): [ReactNode, (what: Ask) => void] {
  const [what, setWhat] = useState<Ask | null>(null);
  const [open, setOpen] = useState(false);
  const [turn, setTurn] = useState(0);
  return [<ConfirmModal key={`confirm-${turn}`} what={what} opened={open} onClose={() => setOpen(false)} />, (next) => { setWhat(next); setTurn((n) => n + 1); setOpen(true); }];
}
function ConfirmModal({ what, opened, onClose }: { what: Ask | null; opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const [reason, setReason] = useState('');
  const [pending, setPending] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  if (!what) return null;
  const ready = (!what.typed || typed === what.typed) && (!what.reason || reason.trim() !== '');
  const run = async (e: React.FormEvent) => {
    e.preventDefault();
    if (!ready || pending) return;
    setPending(true); setProblem(null);
    try { await what.run({ typed, reason: reason.trim() }); onClose(); } catch (p) { setProblem(p); } finally { setPending(false); }
  };
  return (
    <Modal opened={opened} onClose={onClose} attributes={{ header: { role: 'presentation' } }} title={what.title} closeButtonProps={{ 'aria-label': t('ui.close') }} size={460} transitionProps={{ duration: 100 }}>
      <form onSubmit={run} className="fields">
        {what.lines.map((line, i) => <p key={i} className="flush dim2">{line}</p>)}
        <FormProblem problem={problem} />
        {what.reason && <TextInput data-autofocus label={what.reason} required maxLength={500} value={reason} onChange={(e) => setReason(e.currentTarget.value)} />}
        {what.typed && <TextInput data-autofocus={!what.reason || undefined} label={t('ui.typeName', { name: what.typed })} autoComplete="off" spellCheck={false} value={typed} onChange={(e) => setTyped(e.currentTarget.value)} />}
        <div className="drawer-foot"><span className="grow" /><Button variant="default" onClick={onClose}>{t('ui.cancel')}</Button><Button type="submit" color={what.danger ? 'red' : undefined} loading={pending} disabled={!ready}>{what.label}</Button></div>
      </form>
    </Modal>
  );
}
