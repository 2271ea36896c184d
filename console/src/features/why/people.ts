import type { AccessPerson, Member } from '../../api';

export interface Somebody { value: string; label: string }
const MAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
/** Whom one can ask about: members, the provider's people, whoever the address names, and any e-mail that was typed. Each once. */
export function somebodies({ members, staff, chosen, chosenName, typed, role }: { members: readonly Member[]; staff: readonly AccessPerson[]; chosen?: string; chosenName?: string; typed: string; role: (r: AccessPerson['role']) => string }): Somebody[] {
  const all = new Map<string, string>();
  for (const m of members) all.set(m.person.id, `${m.person.name} (${m.person.email})`);
  for (const p of staff) if (!all.has(p.person.id)) all.set(p.person.id, `${p.person.name ?? role(p.role)} (${p.person.email ?? p.provider.name})`);
  if (chosen && !all.has(chosen)) all.set(chosen, chosenName ?? chosen);
  const mail = typed.trim();
  if (MAIL.test(mail) && ![...all.values()].some((l) => l.toLowerCase().includes(mail.toLowerCase()))) all.set(mail, mail);
  return [...all].map(([value, label]) => ({ value, label }));
}
