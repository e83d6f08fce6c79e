import { maxIntegerDigits, types } from '../datatypes/table.ts';
import { type Failure, failProcessing } from '../failure.ts';
import { one, type PlainFunction, plain } from './signature.ts';

const f = 'urn:oasis:names:tc:xacml:1.0:function:';
const integer = one(types.integer);
const double = one(types.double);
const limit = 10n ** BigInt(maxIntegerDigits);

function bounded(value: bigint): bigint | Failure {
  return value < limit && value > -limit ? value : failProcessing(`an integer of more than ${maxIntegerDigits} digits`);
}

/** Section A.3.2. Integers are exact; doubles follow IEEE 754, except that dividing by zero is an error. */
export const arithmeticFunctions: readonly PlainFunction[] = [
  plain(`${f}integer-add`, [], integer, (_, ...all: bigint[]) => bounded(all.reduce((a, b) => a + b)), {
    rest: { type: integer, min: 2 },
  }),
  plain(`${f}integer-multiply`, [], integer, (_, ...all: bigint[]) => multiplyAll(all), {
    rest: { type: integer, min: 2 },
  }),
  plain(`${f}integer-subtract`, [integer, integer], integer, (_, a: bigint, b: bigint) => bounded(a - b)),
  plain(`${f}integer-divide`, [integer, integer], integer, (_, a: bigint, b: bigint) =>
    b === 0n ? failProcessing('division by zero') : a / b,
  ),
  plain(`${f}integer-mod`, [integer, integer], integer, (_, a: bigint, b: bigint) =>
    b === 0n ? failProcessing('division by zero') : a % b,
  ),
  plain(`${f}integer-abs`, [integer], integer, (_, a: bigint) => (a < 0n ? -a : a)),
  plain(`${f}double-add`, [], double, (_, ...all: number[]) => all.reduce((a, b) => a + b), {
    rest: { type: double, min: 2 },
  }),
  plain(`${f}double-multiply`, [], double, (_, ...all: number[]) => all.reduce((a, b) => a * b), {
    rest: { type: double, min: 2 },
  }),
  plain(`${f}double-subtract`, [double, double], double, (_, a: number, b: number) => a - b),
  plain(`${f}double-divide`, [double, double], double, (_, a: number, b: number) =>
    b === 0 ? failProcessing('division by zero') : a / b,
  ),
  plain(`${f}double-abs`, [double], double, (_, a: number) => Math.abs(a)),
  plain(`${f}round`, [double], double, (_, a: number) => roundHalfEven(a)),
  plain(`${f}floor`, [double], double, (_, a: number) => Math.floor(a)),
  plain(`${f}double-to-integer`, [double], integer, (_, a: number) =>
    Number.isFinite(a) ? bounded(BigInt(Math.trunc(a))) : failProcessing(`${a} is no integer`),
  ),
  plain(`${f}integer-to-double`, [integer], double, (_, a: bigint) => Number(a)),
];

function multiplyAll(all: readonly bigint[]): bigint | Failure {
  let product = 1n;
  for (const factor of all) {
    product *= factor;
    if (product >= limit || product <= -limit) return bounded(product);
  }
  return product;
}

/** The default rounding mode of IEEE 754, which section A.3.2 asks for. */
function roundHalfEven(a: number): number {
  const floor = Math.floor(a);
  const rest = a - floor;
  if (rest !== 0.5) return Math.round(a);
  return floor % 2 === 0 ? floor : floor + 1;
}
