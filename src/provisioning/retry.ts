import type { AccountRow } from '../store/schema.ts';
import type { Tx } from '../store/store.ts';
import { raiseAccounts } from './accounts.ts';
import { unparkLinks } from './links.ts';

/** Who asked for it comes before creations and cosmetic updates, and after removals. */
const urgencyOfAsking = 1;

/**
 * Makes one account due at once, on an operator's word: ends its backoff and its parking, and says refused memberships
 * of a group again. A lane's hold stays. Safe to repeat. The caller says `store.signal('work')` after its commit.
 */
export async function retryAccount(tx: Tx, account: AccountRow): Promise<void> {
  const { target_id: targetId, subject_id: subjectId, kind, sp_id: spId } = account;
  if (kind === 'group') await unparkLinks(tx, targetId, subjectId);
  await raiseAccounts(tx, [{ targetId, subjectId, kind, spId, urgency: urgencyOfAsking, makes: false }]);
}
