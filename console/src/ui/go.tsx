import { Button, type ButtonProps } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ComponentPropsWithRef } from 'react';

export interface GoProps extends Omit<ComponentPropsWithRef<'a'>, 'href'> { to: string; search?: Record<string, string | readonly string[] | undefined>; exact?: boolean }
/** A real link inside the console: Ctrl-click opens another tab. `search` replaces what the address says. */
export function Go({ to, search, exact, ...rest }: GoProps) {
  return <Link to={to} search={(search ?? {}) as never} activeOptions={{ includeSearch: false, exact: exact ?? false }} {...rest} />;
}
export const tenantPath = (slug: string, page = 'overview') => `/t/${encodeURIComponent(slug)}/${page}`;
/** A link that looks like a button. */
export function GoButton({ to, search, children, ...rest }: ButtonProps & Pick<GoProps, 'to' | 'search' | 'children'>) {
  return <Button {...rest} renderRoot={(props) => <Go to={to} search={search} {...props} />}>{children}</Button>;
}
