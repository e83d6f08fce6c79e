import { prepare, type Reading } from '../store/store.ts';

const selectWaitOn = prepare<{ targetId: number; subjectId: string }, { wait_on: string | null }>((q, p) =>
  q.selectFrom('accounts').select('wait_on').where('target_id', '=', p.targetId).where('subject_id', '=', p.subjectId),
);

/** Chains longer than this are not followed: the accounts then look again by themselves. */
const longestChain = 64;

/** Whether the account of `from` waits, directly or through others, for the account of `subjectId`. */
export async function waitsOn(reading: Reading, targetId: number, from: string, subjectId: string): Promise<boolean> {
  let at: string | null = from;
  for (let n = 0; n < longestChain && at !== null; n++) {
    if (at === subjectId) return true;
    const [row]: { wait_on: string | null }[] = await reading.run(selectWaitOn, { targetId, subjectId: at });
    at = row?.wait_on ?? null;
  }
  return false;
}
