import { types } from '../datatypes/table.ts';
import { addMonths, addNanos, type Temporal } from '../datatypes/temporal.ts';
import { type Failure, failProcessing } from '../failure.ts';
import { one, type PlainFunction, plain } from './signature.ts';

const f3 = 'urn:oasis:names:tc:xacml:3.0:function:';

function within(value: Temporal | undefined): Temporal | Failure {
  return value ?? failProcessing('the date is beyond the calendar');
}

/** Section A.3.7. */
export const dateFunctions: readonly PlainFunction[] = [
  shift('dateTime', 'add-dayTimeDuration', (value, by: bigint) => addNanos(value, by)),
  shift('dateTime', 'subtract-dayTimeDuration', (value, by: bigint) => addNanos(value, -by)),
  shift('dateTime', 'add-yearMonthDuration', (value, by: number) => addMonths(value, by)),
  shift('dateTime', 'subtract-yearMonthDuration', (value, by: number) => addMonths(value, -by)),
  shift('date', 'add-yearMonthDuration', (value, by: number) => addMonths(value, by)),
  shift('date', 'subtract-yearMonthDuration', (value, by: number) => addMonths(value, -by)),
];

function shift<T>(
  name: 'date' | 'dateTime',
  suffix: string,
  move: (value: Temporal, by: T) => Temporal | undefined,
): PlainFunction {
  const duration = suffix.endsWith('dayTimeDuration') ? types.dayTimeDuration : types.yearMonthDuration;
  const type = one(types[name]);
  return plain(`${f3}${name}-${suffix}`, [type, one(duration)], type, (_, value: Temporal, by: T) =>
    within(move(value, by)),
  );
}
