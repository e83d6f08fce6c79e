import { type Static, Type } from 'typebox';
import { LaneAnswer } from './status.ts';
import { Newcomers, WaveAnswer } from './wave.ts';

const count = Type.Integer({ minimum: 0 });

/** The latest sync of a target. */
export const SyncAnswer = Type.Object({
  targetId: Type.Integer(),
  target: Type.String(),
  /** Null when there was none yet. */
  sync: Type.Union([WaveAnswer, Type.Null()]),
  /** Accounts at the target for which something is still to be delivered, whatever made it due. */
  pending: count,
  /** Lanes that are held: while they are, a sync waits. */
  held: Type.Array(LaneAnswer),
  /** Users and groups in the directory. Null while a sync runs, as is `missing`: asking for its progress costs little. */
  here: Type.Union([Type.Object({ users: count, groups: count }), Type.Null()]),
  missing: Type.Union([Newcomers, Type.Null()]),
});
export type SyncAnswer = Static<typeof SyncAnswer>;
