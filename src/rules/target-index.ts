import { compileDesignator } from './compile-expression.ts';
import type { CompiledTarget, MatchKey } from './compile-target.ts';
import type { Key } from './datatypes/table.ts';
import type { Evaluation } from './evaluation.ts';
import { Failure } from './failure.ts';

/** One attribute that targets ask about, and which children (by position) each of its values speaks for. */
interface Slot {
  readonly read: (evaluation: Evaluation) => unknown;
  readonly byValue: Map<Key, number[]>;
  /** Children whose target fails, rather than not matching, when the attribute is missing. */
  readonly whenMissing: number[];
}

/** Below this many children asking each target is cheaper. */
const smallest = 5;

/**
 * Picks the children whose target may be anything but "no match", in order, at a cost that does not grow with the
 * others. All others are *NotApplicable*, which no combining algorithm looks at.
 *
 * A target cannot match when one of its AnyOf cannot, and an AnyOf cannot when every AllOf in it holds an equality that
 * fails. Each child is filed under the equalities of that AnyOf of its target whose values are rarest.
 */
export function indexTargets<T extends { readonly target: CompiledTarget }>(
  children: readonly T[],
): (evaluation: Evaluation) => readonly T[] {
  if (children.length < smallest) return () => children;

  const frequency = new Map<string, number>();
  const options = children.map((child) => child.target.anyOfs.map(keysOf).filter((keys) => keys !== undefined));
  for (const keys of options.flat(2)) {
    const name = nameKey(keys);
    frequency.set(name, (frequency.get(name) ?? 0) + 1);
  }

  const slots = new Map<string, Slot>();
  const always: number[] = [];
  options.forEach((anyOfs, position) => {
    let best: readonly MatchKey[] | undefined;
    let bestCost = Number.POSITIVE_INFINITY;
    for (const keys of anyOfs) {
      const cost = keys.reduce((sum, key) => sum + frequency.get(nameKey(key))!, 0);
      if (cost < bestCost) [best, bestCost] = [keys, cost];
    }
    if (best === undefined) always.push(position);
    else for (const key of best) file(slots, key, position);
  });
  if (slots.size === 0) return () => children;

  const all = [...slots.values()];
  return (evaluation) => {
    const picked = [...always];
    for (const slot of all) {
      const bag = slot.read(evaluation);
      // Out of steps: let the children say so.
      if (bag instanceof Failure) return children;
      const values = bag as readonly Key[];
      if (values.length === 0) for (const position of slot.whenMissing) picked.push(position);
      for (const value of values) {
        const found = slot.byValue.get(value);
        if (found !== undefined) for (const position of found) picked.push(position);
      }
    }
    evaluation.steps -= picked.length;
    picked.sort((a, b) => a - b);
    return picked.filter((position, i) => i === 0 || position !== picked[i - 1]).map((position) => children[position]!);
  };
}

/** One equality from each AllOf, or undefined when some AllOf has none. */
function keysOf(anyOf: CompiledTarget['anyOfs'][number]): readonly MatchKey[] | undefined {
  const keys: MatchKey[] = [];
  for (const allOf of anyOf) {
    const key = allOf.find((match) => match.key !== undefined)?.key;
    if (key === undefined) return undefined;
    keys.push(key);
  }
  return keys;
}

function nameSlot({ category, attributeId, dataType, issuer }: MatchKey['attribute']): string {
  return JSON.stringify([category, attributeId, dataType, issuer]);
}

function nameKey(key: MatchKey): string {
  return `${nameSlot(key.attribute)} ${typeof key.value} ${key.value}`;
}

function file(slots: Map<string, Slot>, key: MatchKey, position: number): void {
  const name = nameSlot(key.attribute);
  let slot = slots.get(name);
  if (slot === undefined) {
    const read = compileDesignator({ ...key.attribute, mustBePresent: false }).evaluate;
    slot = { read, byValue: new Map(), whenMissing: [] };
    slots.set(name, slot);
  }
  const filed = slot.byValue.get(key.value);
  if (filed === undefined) slot.byValue.set(key.value, [position]);
  else filed.push(position);
  if (key.attribute.mustBePresent) slot.whenMissing.push(position);
}
