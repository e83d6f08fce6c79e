import type { Attributes, Json } from '../../mapping/rows.ts';
import type { Failure, SubjectKind } from '../connector.ts';
import { isObject, isSendable, type JsonObject } from '../scim/resource.ts';
import type { CharacterClass, Profile, ValueRule, ValueRules } from './profile.ts';

/** What a profile lets out of one kind of subject, made ready once for all that is sent. */
export type Outgoing = {
  /** Only what this target is sent; the same object where that is everything. */
  attributes(attributes: Attributes): Attributes;
  isSent(path: string): boolean;
  /**
   * The refusal that the target would give for what is about to be said, before it is said. `whole`: nothing else will
   * be there, so what is required must be among it. `unset`: what is about to be cleared.
   */
  refuse(said: Attributes, options?: { whole?: boolean; unset?: readonly string[] }): Refused | undefined;
};

type Refused = Failure & { outcome: 'refused' };

export function openOutgoing(profile: Profile, kind: SubjectKind): Outgoing {
  const allowed = kind === 'user' ? profile.userAttributes : profile.groupAttributes;
  const isSent = (path: string) =>
    isSendable(path) &&
    (allowed === 'all' || allowed.some((each) => isWithin(path, each))) &&
    !profile.neverSent.some((each) => isWithin(path, each));
  const inner = innerParts(profile.neverSent);
  const everything = allowed === 'all' && profile.neverSent.length === 0;
  const checks = openChecks(kind === 'user' ? profile.userValues : profile.groupValues, isSent);

  return {
    isSent,
    attributes(attributes) {
      if (everything) return attributes;
      const sent: Attributes = {};
      for (const path in attributes) {
        if (isSent(path)) sent[path] = withoutParts(attributes[path]!, inner.get(path));
      }
      return sent;
    },
    refuse(said, { whole = false, unset = [] } = {}) {
      for (const { path, rule, fault } of checks) {
        const value = Object.hasOwn(said, path) ? said[path] : undefined;
        const found = isAbsent(value)
          ? rule.required && (whole || unset.includes(path))
            ? 'is required and has no value'
            : undefined
          : fault(value!);
        if (found !== undefined) return { outcome: 'refused', reason: `not sent: ${path} ${found} (${rule.source})` };
      }
      return undefined;
    },
  };
}

/** `name` lets `name.givenName` in, and an extension's URN all of its attributes. */
function isWithin(path: string, place: string): boolean {
  if (!path.startsWith(place)) return false;
  const next = path[place.length];
  return next === undefined || next === '.' || (next === ':' && place.startsWith('urn:'));
}

/** Sub-attributes to take out of the values of multi-valued attributes, by attribute. */
function innerParts(neverSent: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const parts = new Map<string, string[]>();
  for (const place of neverSent) {
    const dot = place.lastIndexOf('.');
    if (dot <= place.lastIndexOf(':')) continue;
    const path = place.slice(0, dot);
    parts.set(path, [...(parts.get(path) ?? []), place.slice(dot + 1)]);
  }
  return parts;
}

function withoutParts(value: Json, parts: readonly string[] | undefined): Json {
  if (parts === undefined || !Array.isArray(value)) return value;
  return value.map((item) => {
    if (!isObject(item) || !parts.some((part) => Object.hasOwn(item, part))) return item;
    const kept: JsonObject = { ...item };
    for (const part of parts) delete kept[part];
    return kept;
  });
}

type Check = { path: string; rule: ValueRule; fault(value: Json): string | undefined };

function openChecks(rules: ValueRules, isSent: (path: string) => boolean): Check[] {
  return Object.entries(rules)
    .filter(([path]) => isSent(path))
    .map(([path, rule]) => {
      const parts = [checkText(rule), checkList(rule)].filter((part) => part !== undefined);
      return {
        path,
        rule,
        fault: (value) => {
          for (const part of parts) {
            const found = part(value);
            if (found !== undefined) return found;
          }
          return undefined;
        },
      };
    });
}

const classes: Record<CharacterClass, string> = {
  letters: '\\p{L}',
  marks: '\\p{M}',
  symbols: '\\p{S}',
  digits: '\\p{N}',
  punctuation: '\\p{P}',
  spaces: '\\p{Zs}\\t\\n\\r',
};

function checkText(rule: ValueRule): ((value: Json) => string | undefined) | undefined {
  const { longest, characters, without, reserved } = rule;
  if (longest === undefined && !characters && without === undefined && !reserved) return undefined;
  const only = characters && new RegExp(`^[${characters.map((each) => classes[each]).join('')}]*$`, 'u');
  const names = reserved && new Set(reserved.map((each) => each.toLowerCase()));
  return (value) => {
    if (typeof value !== 'string') return undefined;
    if (longest !== undefined && value.length > longest && [...value].length > longest) {
      return `has more than ${longest} characters`;
    }
    if (only && !only.test(value)) return `may hold only ${characters.join(', ')}`;
    const bad = without === undefined ? undefined : [...without].find((each) => value.includes(each));
    if (bad !== undefined) return `must not hold ${JSON.stringify(bad)}`;
    return names?.has(value.toLowerCase()) ? 'is a name that the target keeps for itself' : undefined;
  };
}

function checkList(rule: ValueRule): ((value: Json) => string | undefined) | undefined {
  const { most, primary, parts, distinctTypes, oneOf } = rule;
  if (most === undefined && !primary && !parts && !distinctTypes && !oneOf) return undefined;
  return (value) => {
    if (!Array.isArray(value)) return undefined;
    if (most !== undefined && value.length > most) return `has ${value.length} values, and the target takes ${most}`;
    const items = value.filter(isObject);
    if (primary && !items.some((item) => item.primary === true)) return 'needs a value that is marked as primary';
    for (const part of parts ?? []) {
      if (items.length < value.length || items.some((item) => isAbsent(item[part]))) {
        return `needs ${part} in each value`;
      }
    }
    if (distinctTypes) {
      const types = items.map((item) => item.type).filter((type) => typeof type === 'string');
      if (new Set(types.map((type) => type.toLowerCase())).size < types.length) {
        return 'has two values of the same type';
      }
    }
    const odd = oneOf && items.find((item) => !oneOf.includes(String(item.value)));
    return odd ? `has a value that is none of ${oneOf.join(', ')}` : undefined;
  };
}

function isAbsent(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}
