import type { ReactNode } from 'react';

/** A resource as pairs of a word and a value: complex attributes taken apart, extensions by the end of their name. */
export function flatten(attributes: Record<string, unknown>): [string, ReactNode][] {
  return Object.entries(attributes).flatMap(([name, value]): [string, ReactNode][] => {
    if (isObject(value)) {
      // The parts of a name say themselves that they are.
      const word = name.startsWith('urn:') || name === 'name' ? '' : `${wordOf(name)}, `;
      return Object.entries(value).map(([inner, one]) => [`${word}${wordOf(inner)}`, show(one)]);
    }
    return [[wordOf(name), show(value)]];
  });
}

function show(value: unknown): ReactNode {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map((one) => (isObject(one) ? describe(one) : String(one))).join('; ');
  if (isObject(value)) return describe(value);
  return value === null || value === undefined ? null : String(value);
}

/** `ada@acme.example (work, primary)`. */
function describe(value: Record<string, unknown>): string {
  const { value: main, formatted, display, type, primary, ...rest } = value;
  const first =
    main ??
    formatted ??
    display ??
    Object.values(rest)
      .filter((one) => typeof one === 'string')
      .join(', ');
  const beside = [type, primary === true ? 'primary' : undefined].filter((one) => typeof one === 'string');
  return beside.length === 0 ? String(first) : `${first} (${beside.join(', ')})`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `familyName` as *Family name*. */
export function wordOf(name: string): string {
  if (name === 'userName') return 'Username';
  const words = name
    .replace(/^.*:/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  return `${words[0]?.toUpperCase() ?? ''}${words.slice(1)}`;
}
