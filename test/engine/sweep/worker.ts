import type { DatabaseKind } from '../../database.ts';
import { openShift } from '../crew.ts';
import type { Plague, PlagueKind } from './plague.ts';
import { sweepFaults } from './sweep.ts';

export type Order = { database: DatabaseKind; every: number; kinds: PlagueKind[] };
export type Said = { planned: number } | { plague: Plague; struck: boolean; faults: string[] };

const shift = openShift<Order, Said>();
const { share } = shift.order;
await sweepFaults({
  ...shift.order,
  ...(share.nth === 0 ? { onPlan: (planned: number) => shift.say({ planned }) } : {}),
  onRun: (plague, { struck, faults }) => shift.say({ plague, struck, faults }),
});
shift.end();
