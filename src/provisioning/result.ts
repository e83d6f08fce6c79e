import type { Failure } from '../connectors/connector.ts';
import type { ProvisioningOperation } from '../rules/provisioning-request.ts';
import type { AccountState, LinkRow, PasswordSent } from '../store/schema.ts';
import type { Claim } from './claim.ts';
import type { Conflict, Ending } from './decisions.ts';
import type { LaneNews } from './lanes.ts';

/** What one attempt makes of the password its account owes. */
export type PasswordFate =
  /** Still owed, and surely not there by this attempt. A `note` is written, null removes it. */
  | { fate: 'kept'; note?: string | null }
  /** Sent, without a believable answer. `sent`: how, where it is known better than before the attempt. */
  | { fate: 'doubtful'; sent?: PasswordSent }
  | { fate: 'taken' }
  /** Owed no more, though the target did not take it. Without a `note` the present one stays. */
  | { fate: 'let go'; note?: string };

/** What one attempt found out and what it makes of the account; `complete.ts` writes it down. */
export type Result = {
  claim: Claim;
  /** What was said to the target, in one word. */
  operation: 'create' | 'update' | 'rename' | 'password' | 'members' | 'remove' | 'disable' | 'find' | 'read' | 'none';
  outcome: 'done' | 'absent' | 'exists' | 'refused' | 'unavailable' | 'unknown' | 'withheld';
  reason: string | null;
  /** Nothing is left to do for what was noted. */
  finished: boolean;
  state: AccountState;
  /** Wait at least this long before the next try; only if not finished. */
  againInMs: number;
  /** Counts as a failure of this account: its backoff grows. */
  failed: boolean;
  /** Counts towards parking, at once or only if the lane succeeded meanwhile. */
  strike: 'no' | 'always' | 'if the lane succeeds';
  waitOn: string | null;
  /** The account of `waitOn` as it was when this attempt looked; null when there was none or nobody is waited for. */
  holder: Claim['account'] | null;
  remoteId: string | null;
  /** JSON `Attributes`, or null. */
  acked: string | null;
  origin: Claim['account']['origin'];
  chunk: number | null;
  password: PasswordFate;
  /** `clear`: everything said was answered. `keep`: as before the attempt. `raise`: what this attempt said joins it. */
  doubt: 'clear' | 'keep' | 'raise';
  said: { link: LinkRow; refused?: string }[];
  /** A group lost its remote resource: all its members must be said again. */
  relink: boolean;
  /** Its row may go. */
  drop: boolean;
  /** At rest it is looked at again after this time; null: not by itself. */
  lookAgainInMs: number | null;
  /** What a rule withholds, and whether it looked at the clock; null when none does. */
  withheld: { operation: ProvisioningOperation; readsClock: boolean } | null;
  /** Whom it met under its name, when it parks by that. */
  conflict: Conflict | null;
  /** What became of what an operator had decided about it; null: nothing yet. */
  decided: Ending | null;
  news: LaneNews;
};

/** A result that leaves everything as it was; `change` says what is different. */
export function resultOf(claim: Claim, change: Partial<Result> & Pick<Result, 'operation' | 'outcome'>): Result {
  const { account } = claim;
  return {
    claim,
    reason: null,
    finished: false,
    state: 'due',
    againInMs: 0,
    failed: false,
    strike: 'no',
    waitOn: null,
    holder: null,
    remoteId: account.remote_id,
    acked: account.acked,
    // What is kept as a whole from now on is not told by whom we put there.
    origin:
      account.origin === 'linked' && claim.open.target.policy.groups !== 'membership-only' ? 'adopted' : account.origin,
    chunk: account.chunk,
    password: { fate: 'kept' },
    doubt: 'clear',
    said: [],
    relink: false,
    drop: false,
    lookAgainInMs: null,
    withheld: null,
    conflict: null,
    decided: null,
    news: { news: 'answered', success: change.outcome === 'done' || change.outcome === 'exists' },
    ...change,
  };
}

/** `done`, and nothing more to do. */
export function finish(claim: Claim, operation: Result['operation'], change: Partial<Result> = {}): Result {
  return resultOf(claim, { operation, outcome: 'done', finished: true, state: 'done', ...change });
}

/** `done`, and due again at once: the next step is an attempt of its own, because one attempt says one thing. */
export function stepOn(claim: Claim, operation: Result['operation'], change: Partial<Result> = {}): Result {
  return resultOf(claim, { operation, outcome: 'done', ...change });
}

/** `refused`, or a conflict nobody here can solve: somebody has to look. */
export function park(
  claim: Claim,
  operation: Result['operation'],
  outcome: 'refused' | 'exists' | 'withheld',
  reason: string,
  change: Partial<Result> = {},
): Result {
  return resultOf(claim, { operation, outcome, reason, finished: true, state: 'parked', ...change });
}

/**
 * The target does not know the id any more (rule 17): the id is set aside and its absence confirmed by *find* after
 * the settle time, then the account is made again or its removal is done.
 */
export function setAside(claim: Claim, operation: Result['operation'], reason: string): Result {
  return resultOf(claim, {
    operation,
    outcome: 'absent',
    reason,
    remoteId: null,
    acked: null,
    doubt: 'raise',
    againInMs: claim.open.target.policy.settleMs,
    relink: claim.account.kind === 'group' && claim.wish === 'present',
    news: { news: 'absent', reason },
  });
}

/**
 * A connector's failure as a result. `settled`: earlier doubt was resolved in this attempt (or there was none), so a
 * failure that certainly changed nothing leaves no doubt.
 */
export function failureOf(
  claim: Claim,
  operation: Result['operation'],
  failure: Failure,
  options: { settled: boolean; mutated: boolean; change?: Partial<Result> },
): Result {
  const untouched = options.settled ? 'clear' : 'keep';
  switch (failure.outcome) {
    case 'refused':
      return park(claim, operation, 'refused', failure.reason, {
        doubt: untouched,
        ...(failure.rights
          ? { news: { news: 'forbidden', reason: failure.reason, subjectId: claim.account.subject_id } as const }
          : {}),
        ...options.change,
      });
    case 'unavailable':
      return resultOf(claim, {
        operation,
        outcome: 'unavailable',
        reason: failure.reason,
        doubt: untouched,
        failed: failure.scope === 'account',
        againInMs: failure.scope === 'account' ? (failure.retryAfterMs ?? 0) : 0,
        news: newsOfUnavailable(failure),
        ...options.change,
      });
    case 'unknown':
      return resultOf(claim, {
        operation,
        outcome: 'unknown',
        reason: failure.reason,
        doubt: options.mutated ? 'raise' : untouched,
        // What carries none says so in `change`.
        password: { fate: options.mutated ? 'doubtful' : 'kept' },
        failed: true,
        strike: 'if the lane succeeds',
        news: { news: 'failed', reason: failure.reason },
        ...options.change,
      });
  }
}

function newsOfUnavailable(failure: Failure & { outcome: 'unavailable' }): LaneNews {
  const after = failure.retryAfterMs === undefined ? {} : { retryAfterMs: failure.retryAfterMs };
  if (failure.throttled) return { news: 'throttled', reason: failure.reason, ...after };
  if (failure.scope === 'account') return { news: 'failed', reason: failure.reason };
  return { news: 'broken', reason: failure.reason, ...after };
}

/**
 * What comes of the rules (engine rule 22) before something is said: undefined when they let it through, or when there
 * are none to ask. A *no* withholds and removes nothing; what cannot be decided parks.
 */
export function withhold(
  claim: Claim,
  operation: ProvisioningOperation,
  change: Partial<Result> = {},
): Result | undefined {
  const answer = claim.rules?.ask(operation, claim.startedAt);
  if (answer === undefined || answer.action === 'let-through') return undefined;
  const { reason, readsClock } = answer;
  const quiet = { news: { news: 'nothing' }, ...change } as const;
  if (answer.action === 'park') return park(claim, 'none', 'withheld', reason, quiet);
  return resultOf(claim, {
    operation: 'none',
    outcome: 'withheld',
    reason,
    finished: true,
    state: 'withheld',
    withheld: { operation, readsClock },
    ...quiet,
  });
}
