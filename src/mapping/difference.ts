import type { Attributes, Json } from './rows.ts';

export type Difference = {
  /** What must be said to bring the target to `desired`. */
  set: Attributes;
  /** Managed paths that hold something there and should hold nothing. */
  unset: string[];
};

/**
 * What separates `actual` from `desired` on the `managed` paths; nothing else is looked at. Texts are compared exactly.
 * Lists are compared as sets, and an element counts as there when some element has every key that we ask for with an
 * equal value: targets add keys of their own (`display`, `$ref`). An asked-for `primary: false` equals an absent one.
 */
export function differenceOf(desired: Attributes, actual: Attributes, managed: readonly string[]): Difference {
  const set: Attributes = {};
  const unset: string[] = [];
  for (const path of managed) {
    const want = ownValue(desired, path);
    const have = ownValue(actual, path);
    if (want === undefined) {
      if (have !== undefined) unset.push(path);
    } else if (have === undefined || !covers(have, want)) {
      set[path] = want;
    }
  }
  return { set, unset };
}

function ownValue(attributes: Attributes, path: string): Json | undefined {
  const value = Object.hasOwn(attributes, path) ? attributes[path] : undefined;
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) && value.length === 0 ? undefined : value;
}

/** Whether `have` says all that `want` says, and no more where more would mean something else. */
function covers(have: Json, want: Json): boolean {
  if (Array.isArray(want)) return Array.isArray(have) && coversAsSet(have, want);
  if (typeof want !== 'object' || want === null) return have === want;
  if (typeof have !== 'object' || have === null || Array.isArray(have)) return false;
  return Object.entries(want).every(([key, value]) => {
    const there = Object.hasOwn(have, key) ? have[key] : undefined;
    if (key === 'primary' && value === false) return there !== true;
    if (value === null) return there === undefined || there === null;
    return there !== undefined && covers(there, value);
  });
}

/** Equal size, and a pairing in which every wanted element is covered by an element of its own. */
function coversAsSet(have: readonly Json[], want: readonly Json[]): boolean {
  if (have.length !== want.length) return false;
  // Plain values need no pairing; a long list of them must not cost its square.
  if (want.every(isPlain) && have.every(isPlain)) {
    const left = have.map(keyOf).sort();
    const right = want.map(keyOf).sort();
    return left.every((key, index) => key === right[index]);
  }
  const holder: number[] = new Array(have.length).fill(-1);
  return want.every((_, index) => seat(index, new Set()));

  // Augmenting path: the elements already seated move on when another seat covers them too.
  function seat(index: number, tried: Set<number>): boolean {
    for (let at = 0; at < have.length; at++) {
      if (tried.has(at) || !covers(have[at]!, want[index]!)) continue;
      tried.add(at);
      if (holder[at] === -1 || seat(holder[at]!, tried)) {
        holder[at] = index;
        return true;
      }
    }
    return false;
  }
}

function isPlain(value: Json): boolean {
  return typeof value !== 'object' || value === null;
}

function keyOf(value: Json): string {
  return `${typeof value}:${String(value)}`;
}
