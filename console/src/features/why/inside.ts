import { knownActs } from '../../i18n/acts';

const OUTSIDE = /^(provider|sub_provider|client|plan|tenant|relationship|client_why|staff|staff_invitation|assignment|provider_ledger|certificate|elevation|elevation_template|provider_api_key)\./;
/** What is done inside a client: the actions one asks about over all of them. */
export const INSIDE: readonly string[] = knownActs.filter((a) => !OUTSIDE.test(a)).toSorted();
