import type { Answer, Courier, OutboundRequest } from '../../../src/outbound/courier.ts';
import type { Claim } from '../../../src/provisioning/claim.ts';
import type { Ended } from '../../../src/provisioning/complete.ts';
import { type DeliverLookups, deliverAccount } from '../../../src/provisioning/deliver.ts';
import type { StepClock } from './ground.ts';
import type { Said } from './memory-target.ts';

/**
 * One attempt that goes on only when the schedule says so. The real walk (`deliverAccount`) runs in it; each time it
 * wants to say something it stops twice, before the request leaves and while it is on its way:
 *
 *     in line --begin--> leaving --leave--> flying --answer--> leaving … --> ended
 *
 * Whoever never calls again has a worker that vanished.
 */
export type Attempt = {
  readonly claim: Claim;
  state: 'in line' | 'leaving' | 'flying' | 'ended';
  /** What it is about to say, or said without an answer yet. */
  said: Said | undefined;
  mutation: boolean;
  /** When the request left. */
  leftAt: number;
  /** Its process stands still with the request in its hand. */
  frozen: boolean;
  ended: Ended | undefined;
  /** What it read by its id at the target, and was answered. */
  readonly read: Set<string>;
  /** Something that must not happen: a second mutation, or a fault of the walk itself. */
  wrong: string | undefined;
  begin(): Promise<void>;
  /** Reads the clock as the real courier does, directly before the request leaves; one that is too late goes nowhere. */
  leave(): Promise<'left' | 'too late'>;
  answer(answer: Answer): Promise<void>;
};

export function openAttempt(claim: Claim, clock: StepClock, lookups: DeliverLookups): Attempt {
  let stopped = () => {};
  let resolvePending: (answer: Answer) => void = () => {};
  let mutations = 0;
  let mutatedAt: number | null = null;

  /** Lets the walk go on and resolves when it stops again. */
  const untilItStops = async (go: () => void) => {
    const quiet = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    go();
    await quiet;
  };
  const stop = (request: OutboundRequest, mutation: boolean): Promise<Answer> =>
    new Promise((resolve) => {
      if (mutation) mutations += 1;
      if (mutations > 1) attempt.wrong = 'one attempt asked for a second mutation';
      attempt.said = request.body as Said;
      attempt.mutation = mutation;
      attempt.state = 'leaving';
      resolvePending = resolve;
      stopped();
    });
  const courier: Courier = {
    read: (request) => stop(request, false),
    mutate: (request) => stop(request, true),
    exchanges: [],
    get mutated() {
      return mutatedAt !== null;
    },
  };

  const attempt: Attempt = {
    claim,
    state: 'in line',
    said: undefined,
    mutation: false,
    leftAt: 0,
    frozen: false,
    ended: undefined,
    read: new Set(),
    wrong: undefined,
    begin: () =>
      untilItStops(() => {
        deliverAccount(claim, courier, lookups)
          .then(
            (result) => {
              attempt.ended = { result, exchanges: [], mutatedAt };
            },
            (error) => {
              attempt.wrong = `the walk threw: ${error instanceof Error ? error.stack : String(error)}`;
            },
          )
          .finally(() => {
            attempt.state = 'ended';
            stopped();
          });
      }),
    async leave() {
      if (attempt.mutation && clock.monotonic() > claim.sendBefore) {
        await attempt.answer({ ended: 'not-sent', cause: 'deadline', reason: 'its time was over' });
        return 'too late';
      }
      attempt.leftAt = clock.now();
      if (attempt.mutation) mutatedAt = attempt.leftAt;
      attempt.state = 'flying';
      return 'left';
    },
    answer: (answer) => untilItStops(() => resolvePending(answer)),
  };
  return attempt;
}
