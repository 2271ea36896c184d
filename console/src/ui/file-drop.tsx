import { Button, Progress } from '@mantine/core';
import { IconUpload } from '@tabler/icons-react';
import { useId, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { bytes, percent } from './format';

/** Drop a file or choose one. `progress` (bytes sent) turns it into a bar with a cancel button. */
export function FileDrop({ label, hint, accept, onFile, progress, onCancel, disabled, children }: {
  label: string; hint?: ReactNode; accept?: string; onFile: (file: File) => void; progress?: { sent: number; total: number; name: string } | null; onCancel?: () => void; disabled?: boolean; children?: ReactNode;
}) {
  const { t } = useTranslation();
  const [over, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  if (progress) {
    const share = progress.total ? (progress.sent / progress.total) * 100 : 0;
    return <div className="drop" role="status"><div className="row sm"><span className="trunc semi">{progress.name}</span><span className="grow" /><span className="num dim">{bytes(progress.sent)} / {bytes(progress.total)} · {percent(share, 0)}</span></div><Progress value={share} aria-label={t('ui.uploading', { name: progress.name })} mt={10} />{onCancel && <Button mt={10} size="compact-sm" variant="default" onClick={onCancel}>{t('ui.cancel')}</Button>}</div>;
  }
  const take = (files: FileList | null) => { const file = files?.[0]; if (file && !disabled) onFile(file); if (input.current) input.current.value = ''; };
  return (
    <div className={over ? 'drop over' : 'drop'} onDragOver={(e) => { e.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={(e) => { e.preventDefault(); setOver(false); take(e.dataTransfer.files); }}>
      <IconUpload size={20} color="var(--ink-3)" aria-hidden />
      <label htmlFor={id} className="semi">{label}</label>
      {hint && <div className="xs dim">{hint}</div>}
      <input ref={input} id={id} type="file" accept={accept} className="vh" disabled={disabled} onChange={(e) => take(e.currentTarget.files)} />
      <Button variant="default" disabled={disabled} onClick={() => input.current?.click()}>{t('ui.chooseFile')}</Button>
      {children}
    </div>
  );
}
