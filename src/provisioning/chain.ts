import { prepare, type Reading } from '../store/store.ts';

const selectWaitOn = prepare<{ targetId: number; subjectId: string }, { wait_on: string | null }>((q, p) =>
  q.selectFrom('accounts').select('wait_on').where('target_id', '=', p.targetId).where('subject_id', '=', p.subjectId),
);

/** Chains longer than this are not followed: the accounts then look again by themselves. */
const longestChain = 64;

/**
 * Whether the account of `from` waits, directly or through others, for the account of `subjectId`. `about` are waits
 * that are only about to be written (subject to whom it waits for): two accounts that begin to wait for each other in
 * one batch would otherwise not see it.
 */
export async function waitsOn(
  reading: Reading,
  targetId: number,
  from: string,
  subjectId: string,
  about?: ReadonlyMap<string, string>,
): Promise<boolean> {
  let at: string | null = from;
  for (let n = 0; n < longestChain && at !== null; n++) {
    if (at === subjectId) return true;
    const soon: string | undefined = about?.get(at);
    const [row]: { wait_on: string | null }[] =
      soon === undefined ? await reading.run(selectWaitOn, { targetId, subjectId: at }) : [{ wait_on: soon }];
    at = row?.wait_on ?? null;
  }
  return false;
}
