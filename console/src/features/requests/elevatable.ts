import type { ActionChoice } from '../../ui';

const of = (module: string | null, door: 'read' | 'write', ...names: string[]): ActionChoice[] => names.map((name) => ({ name, module, door }));
/** What an elevation may name: what a tier, or an elevation alone, opens inside a client. The server has the last word; a name it knows and this list doesn't is kept. */
export const ELEVATABLE: readonly ActionChoice[] = [
  ...of('compliance', 'read', 'scan.list', 'scan.view', 'framework.list', 'control.list', 'control.view', 'score.list', 'finding.list', 'finding.view', 'finding.export', 'assignee.list', 'override.list'),
  ...of('compliance', 'write', 'scan.import', 'finding.assign', 'finding.take', 'override.create', 'override.revoke', 'comment.create'),
  ...of(null, 'read', 'member.list', 'member_invitation.list', 'setting.view', 'ledger.list', 'ledger.list_own', 'ledger.checkpoints', 'ledger.verify', 'why.view', 'why.who', 'why.what'),
  ...of(null, 'write', 'member.invite', 'member.update', 'member.disable', 'member.enable', 'member.remove', 'member.grant_admin', 'member_invitation.revoke', 'setting.update'),
];
