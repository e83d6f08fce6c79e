import { arithmeticFunctions } from './arithmetic.ts';
import { bagAndSetFunctions } from './bags.ts';
import { compareFunctions } from './compare.ts';
import { dateFunctions } from './dates.ts';
import { higherOrderFunctions } from './higher-order.ts';
import { logicFunctions } from './logic.ts';
import { matchFunctions } from './match.ts';
import type { XacmlFunction } from './signature.ts';
import { stringFunctions } from './strings.ts';
import { xpathFunctions } from './xpath.ts';

/** Every function of section 10.2.8 but the experimental `access-permitted`, by its identifier. */
const functions: ReadonlyMap<string, XacmlFunction> = new Map(
  [
    ...compareFunctions,
    ...arithmeticFunctions,
    ...stringFunctions,
    ...logicFunctions,
    ...dateFunctions,
    ...bagAndSetFunctions,
    ...higherOrderFunctions,
    ...matchFunctions,
    ...xpathFunctions,
  ].map((fn): [string, XacmlFunction] => [fn.id, fn]),
);

export function findFunction(id: string): XacmlFunction | undefined {
  return functions.get(id);
}

export function functionIds(): string[] {
  return [...functions.keys()];
}
