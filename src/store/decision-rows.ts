import type { Generated } from 'kysely';

/** What a parked account met at the target under the name that it wants there, and that is nobody's of ours. */
export interface ConflictRow {
  target_id: number;
  subject_id: string;
  /** `wanted` as it was when the account parked by it: it holds for as long as that is still what is wanted. */
  noted: number;
  /** The name that the account wants. */
  name: string;
  /** 1: the account has no remote resource yet, so that it could take one of these over. */
  adoptable: number;
  /** JSON: `[{ remoteId, name }]`. */
  remotes: string;
}

/**
 * What an operator decided about an account that is parked. `adopt`: the next attempt takes over the resource with this id.
 * `leave`: it stays parked and is not counted among those to look at. See `provisioning/decisions.ts`.
 */
export interface DecisionRow {
  id: Generated<number>;
  target_id: number;
  subject_id: string;
  what: 'adopt' | 'leave';
  /** The name that the account wanted then; what is adopted for another name is not what was decided. */
  name: string;
  remote_id: string | null;
  remote_name: string | null;
  note: string | null;
  actor: string;
  at: number;
  /** `wanted` as it was when it was said. */
  noted: number;
  ended_at: number | null;
  /** `used`: adopted. `in vain`: it could not be adopted. `superseded`: decided anew, or met otherwise. `over`: something about the account changed. */
  ended: 'used' | 'in vain' | 'superseded' | 'over' | null;
  why: string | null;
}
