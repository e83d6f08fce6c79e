import { readDateTime } from '../../base/datetime.ts';
import { Problem } from '../../base/problem.ts';
import type { Attribute } from './attribute.ts';
import { mergeSame } from './elements.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { readTextBoolean } from './quirks.ts';

/** Longest string accepted, in UTF-16 units. */
export const maxStringLength = 65_536;

/** What happens to a sub-attribute given as null: left out, or kept as null for the caller to unassign. */
export type NullKeeping = 'drop' | 'keep';

/**
 * Reads all of an attribute as a client sent it: the array of a multi-valued one, else the one value. Names come out
 * in the schema's case; sub-attributes that are unknown or readOnly are dropped; what counts as unassigned (null, an
 * empty array, an object with nothing left; RFC 7643 section 2.5) is `undefined`.
 * Throws `Problem('invalidValue')` naming `path`.
 */
export function readAttribute(attribute: Attribute, value: unknown, path: string): JsonValue | undefined {
  if (value === null || value === undefined) return undefined;
  if (!attribute.multiValued) return readOne(attribute, value, path, 'drop');
  if (!Array.isArray(value)) refuse(path, `"${path}" has many values: give an array, not ${describe(value)}.`);
  return readElements(attribute, value, path);
}

/**
 * Reads values of a multi-valued attribute; `undefined` when none is left. What is given twice counts once (RFC 7643
 * section 2.4). `primary` may be true on at most one.
 */
export function readElements(attribute: Attribute, values: readonly unknown[], path: string): JsonValue[] | undefined {
  const read: JsonValue[] = [];
  for (let i = 0; i < values.length; i++) {
    const element = readOne(attribute, values[i], path, 'drop');
    if (element !== undefined) read.push(element);
  }
  const elements = read.length > 1 ? mergeSame(attribute, read) : read;
  let primaries = 0;
  for (const element of elements) if (isJsonObject(element) && element.primary === true) primaries++;
  if (primaries > 1) refusePrimaries(path, primaries);
  return elements.length === 0 ? undefined : elements;
}

export function refusePrimaries(path: string, count: number): never {
  refuse(path, `"primary" is true on ${count} values of "${path}"; it may be true on one only.`);
}

/** Reads one value: the only one of a singular attribute or one element of a multi-valued one. */
export function readOne(attribute: Attribute, value: unknown, path: string, nulls: NullKeeping): JsonValue | undefined {
  switch (attribute.type) {
    case 'complex':
      return readComplex(attribute, value, path, nulls);
    case 'boolean': {
      const boolean = readTextBoolean(value);
      return typeof boolean === 'boolean' ? boolean : refuseType(path, 'true or false', value);
    }
    case 'integer':
      return Number.isSafeInteger(value) ? (value as number) : refuseType(path, 'a whole number', value);
    case 'decimal':
      return Number.isFinite(value) ? (value as number) : refuseType(path, 'a number', value);
    case 'dateTime': {
      const text = readText(value, path);
      if (readDateTime(text) === undefined) refuseText(path, 'a date and time such as "2011-05-13T04:42:34Z"');
      return text;
    }
    case 'binary': {
      const text = readText(value, path);
      if (!isBase64(text)) refuseText(path, 'base64');
      return text;
    }
    case 'reference': {
      const text = readText(value, path);
      // A URI or an IRI, whole or relative (RFC 7643 section 2.3.7): what neither can hold is refused.
      if (/[\s<>"{}|\\^`]/.test(text)) refuseText(path, 'an address (URI), without spaces and the like');
      return checkFilled(attribute, text, path);
    }
    default: {
      const text = readText(value, path);
      return checkFilled(attribute, text, path);
    }
  }
}

function checkFilled(attribute: Attribute, text: string, path: string): string {
  if (attribute.required && text.trim() === '') refuse(path, `"${path}" is required and may not be empty.`);
  return text;
}

/** base64 or base64url, padding optional (RFC 7643 section 2.3.6). */
function isBase64(text: string): boolean {
  const parts = /^([A-Za-z0-9+/_-]*)(={0,2})$/.exec(text);
  if (!parts) return false;
  const left = parts[1]!.length % 4;
  return left !== 1 && (parts[2] === '' || left + parts[2]!.length === 4);
}

function readComplex(attribute: Attribute, value: unknown, path: string, nulls: NullKeeping): JsonObject | undefined {
  if (!isJsonObject(value)) refuseType(path, 'an object with sub-attributes', value);
  const object: JsonObject = {};
  const subs = attribute.subAttributes ?? [];
  let empty = true;
  for (const key of Object.keys(value)) {
    const sub = findSub(subs, key);
    if (!sub || (sub.mutability === 'readOnly' && attribute.mutability !== 'readOnly')) continue;
    if (object[sub.name] !== undefined) refuse(path, `"${path}.${sub.name}" is given twice, in different case.`);
    const given = value[key];
    if (given === null || given === undefined) {
      if (nulls === 'drop') continue;
      object[sub.name] = null;
    } else {
      const read = readAttribute(sub, given, `${path}.${sub.name}`);
      if (read === undefined) continue;
      object[sub.name] = read;
    }
    empty = false;
  }
  if (empty) return undefined;
  for (const sub of subs) {
    if (!sub.required || (object[sub.name] !== undefined && object[sub.name] !== null)) continue;
    if (nulls === 'drop' || object[sub.name] === null)
      refuse(`${path}.${sub.name}`, `"${path}.${sub.name}" is required.`);
  }
  return object;
}

function findSub(subs: readonly Attribute[], key: string): Attribute | undefined {
  // Nearly every key comes in the schema's case; the slow comparison is for the rest.
  for (const sub of subs) if (sub.name === key) return sub;
  const lower = key.toLowerCase();
  return subs.find((sub) => sub.name.toLowerCase() === lower);
}

function readText(value: unknown, path: string): string {
  if (typeof value !== 'string') return refuseType(path, 'a string', value);
  if (value.length > maxStringLength) {
    refuse(path, `"${path}" has ${value.length} characters; at most ${maxStringLength} are stored.`);
  }
  if (value.includes('\0')) refuse(path, `"${path}" has the character U+0000, which cannot be stored.`);
  if (!value.isWellFormed()) refuse(path, `"${path}" has half a surrogate pair, which is not a character.`);
  return value;
}

function refuseType(path: string, wanted: string, value: unknown): never {
  refuse(path, `"${path}" must be ${wanted}, not ${describe(value)}.`);
}

/** The value is a string and cannot be read as what it should be. */
function refuseText(path: string, wanted: string): never {
  refuse(path, `"${path}" must be ${wanted}; this is a string of another form.`);
}

function refuse(field: string, detail: string): never {
  throw new Problem('invalidValue', detail, { field });
}

/** The kind of a value, without the value: it may be a password. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  return `a ${typeof value}`;
}
