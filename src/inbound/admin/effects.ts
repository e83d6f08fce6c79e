import type { EffectAnswer } from '../../contract/target.ts';
import { foresee, noEffect } from '../../provisioning/foresee.ts';
import type { TargetBook } from '../../provisioning/target-book.ts';
import type { Target } from '../../provisioning/targets.ts';
import type { AdminParts } from './parts.ts';

/**
 * What a change that was tried would do at a target. `book`: as it would be with the change; undefined when the change
 * would have nobody looked at again.
 */
export async function showEffect(
  { store, tally }: AdminParts,
  target: Pick<Target, 'id' | 'enabled' | 'idpEnabled' | 'paused'>,
  book: TargetBook | undefined,
): Promise<EffectAnswer> {
  const open = book?.targets.get(target.id);
  const { looked, ...effect } =
    book && open ? await foresee(store, book, open, (await tally.read()).accounts.get(target.id) ?? 0) : noEffect;
  const waits = !target.enabled || !target.idpEnabled || target.paused !== null;
  return { ...effect, about: looked < effect.accounts, waits };
}
