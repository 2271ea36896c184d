import { Button } from '@mantine/core';
import i18n from '../i18n';
import { problemText } from './page';

let last = 0;
const load = () => import('@mantine/notifications').then((m) => m.notifications);

/** "Done", with an undo where there is one. */
export function toast(message: string, undo?: () => unknown) {
  const id = `toast-${++last}`;
  void load().then((notifications) => notifications.show({
    id, color: 'brand', autoClose: undo ? 10_000 : 5000, closeButtonProps: { 'aria-label': i18n.t('ui.close') },
    message: undo ? <span className="row">{message}<Button size="compact-sm" variant="subtle" onClick={() => { notifications.hide(id); void undo(); }}>{i18n.t('ui.undo')}</Button></span> : message,
  }));
}
export function toastProblem(error: unknown) {
  void load().then((notifications) => notifications.show({ color: 'red', autoClose: 10_000, message: problemText(error), closeButtonProps: { 'aria-label': i18n.t('ui.close') } }));
}
