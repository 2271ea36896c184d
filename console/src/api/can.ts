import type { Can, Permission } from './types';

/** What the API said about one action. An action it did not mention is not allowed: nothing is allowed by absence. */
export function permission(can: Can | undefined, action: string): Permission {
  return can?.[action] ?? { allowed: false, why: null, needs: null };
}
export const may = (can: Can | undefined, action: string) => permission(can, action).allowed;
