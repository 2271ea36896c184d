import { ActionIcon, Button, Tooltip, type ActionIconProps, type ButtonProps } from '@mantine/core';
import { useId, type ComponentPropsWithoutRef, type MouseEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { Permission } from '../api';

interface Gate {
  /** From `permission(can, 'action.name')`. Left out: always allowed. */
  can?: Permission;
  /** Another reason why it can't be done now ("the last administrator"). */
  reason?: string | null | false;
}
export function useReason({ can, reason }: Gate): string | null {
  const { t } = useTranslation();
  if (can && !can.allowed) return [can.why ?? t('ui.notAllowed'), can.needs && t('ui.needs', { needs: can.needs })].filter(Boolean).join(' ');
  return reason || null;
}
const stop = (e: MouseEvent) => { e.preventDefault(); e.stopPropagation(); };

type ActProps = ButtonProps & Omit<ComponentPropsWithoutRef<'button'>, keyof ButtonProps> & Gate;
/** A button that knows whether it may be used. Not allowed: it stays in its place, can be focused, and says why. */
export function Act({ can, reason, onClick, children, ...rest }: ActProps) {
  const why = useReason({ can, reason });
  const id = useId();
  if (!why) return <Button type="button" {...rest} onClick={onClick}>{children}</Button>;
  return <><Tooltip label={why} multiline maw={320} events={{ hover: true, focus: true, touch: true }}><Button type="button" {...rest} data-disabled aria-disabled aria-describedby={id} onClick={stop}>{children}</Button></Tooltip><span id={id} className="vh">{why}</span></>;
}
type ActIconProps = ActionIconProps & Omit<ComponentPropsWithoutRef<'button'>, keyof ActionIconProps> & Gate & { label: string };
export function ActIcon({ can, reason, onClick, label, children, ...rest }: ActIconProps) {
  const why = useReason({ can, reason });
  const id = useId();
  if (!why) return <Tooltip label={label}><ActionIcon type="button" aria-label={label} {...rest} onClick={onClick}>{children}</ActionIcon></Tooltip>;
  return <><Tooltip label={why} multiline maw={320} events={{ hover: true, focus: true, touch: true }}><ActionIcon type="button" {...rest} aria-label={label} data-disabled aria-disabled aria-describedby={id} onClick={stop}>{children}</ActionIcon></Tooltip><span id={id} className="vh">{why}</span></>;
}
