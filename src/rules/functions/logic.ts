import { types } from '../datatypes/table.ts';
import { Failure, failProcessing } from '../failure.ts';
import { type LazyFunction, one, type PlainFunction, plain } from './signature.ts';

const f = 'urn:oasis:names:tc:xacml:1.0:function:';
const boolean = one(types.boolean);

/**
 * Section A.3.5: a result that no further argument could change is given without asking further, and an argument that
 * fails counts only when the others do not decide.
 */
export const logicFunctions: readonly (LazyFunction | PlainFunction)[] = [
  decidedBy(`${f}or`, true),
  decidedBy(`${f}and`, false),
  {
    kind: 'lazy',
    id: `${f}n-of`,
    parameters: [one(types.integer)],
    rest: { type: boolean, min: 0 },
    returns: boolean,
    bind:
      ([count, ...args]) =>
      (evaluation) => {
        const wanted = count!.evaluate(evaluation);
        if (wanted instanceof Failure) return wanted;
        const n = wanted as bigint;
        if (n > BigInt(args.length)) return failProcessing(`n-of asks for ${n} of ${args.length} arguments`);
        let found = 0n;
        let failed: Failure | undefined;
        let failures = 0n;
        for (let i = 0; i < args.length && found < n; i++) {
          const value = args[i]!.evaluate(evaluation);
          if (value instanceof Failure) {
            failed ??= value;
            failures++;
          } else if (value === true) found++;
          if (found + failures + BigInt(args.length - 1 - i) < n) return false;
        }
        return found >= n ? true : failed!;
      },
  },
  plain(`${f}not`, [boolean], boolean, (_, a: boolean) => !a),
];

function decidedBy(id: string, decisive: boolean): LazyFunction {
  return {
    kind: 'lazy',
    id,
    parameters: [],
    rest: { type: boolean, min: 0 },
    returns: boolean,
    bind: (args) => (evaluation) => {
      let failed: Failure | undefined;
      for (let i = 0; i < args.length; i++) {
        const value = args[i]!.evaluate(evaluation);
        if (value === decisive) return decisive;
        if (value instanceof Failure) failed ??= value;
      }
      return failed ?? !decisive;
    },
  };
}
