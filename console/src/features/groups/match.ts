import type { Client, GroupMatch, Plan } from '../../api';

/** A client is in a dynamic group when it has one of the values of every field that is asked for; a group that asks for nothing has nobody. */
export function isIn(c: Pick<Client, 'name' | 'tier' | 'plan' | 'industry' | 'state'>, match: GroupMatch, plans: readonly Pick<Plan, 'id' | 'name'>[]): boolean {
  const asks = [match.tiers, match.plans, match.industries, match.states].some((x) => x && x.length > 0) || Boolean(match.name_contains?.trim());
  const one = <T>(wanted: readonly T[] | undefined, has: (v: T) => boolean) => !wanted || wanted.length === 0 || wanted.some(has);
  return asks
    && one(match.tiers, (v) => v === c.tier) && one(match.states, (v) => v === c.state)
    && one(match.plans, (id) => plans.find((p) => p.id === id)?.name === c.plan)
    && one(match.industries, (v) => v.toLowerCase() === (c.industry ?? '').toLowerCase())
    && c.name.toLowerCase().includes((match.name_contains ?? '').trim().toLowerCase());
}
