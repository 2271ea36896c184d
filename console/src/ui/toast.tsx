import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import i18n from '../i18n';
import { problemText } from './page';

/** "Done", with an undo where there is one. */
export function toast(message: string, undo?: () => unknown) {
  const id = `toast-${Date.now()}-${Math.floor(performance.now())}`;
  notifications.show({ id, color: 'brand', autoClose: undo ? 10_000 : 5000, closeButtonProps: { 'aria-label': i18n.t('ui.close') },
    message: undo ? <span className="row">{message}<Button size="compact-sm" variant="subtle" onClick={() => { notifications.hide(id); void undo(); }}>{i18n.t('ui.undo')}</Button></span> : message });
}
export function toastProblem(error: unknown) {
  notifications.show({ color: 'red', autoClose: 10_000, message: problemText(error), closeButtonProps: { 'aria-label': i18n.t('ui.close') } });
}
