import {
  type AttrPath,
  type Compare,
  type Filter,
  formatAttrPath,
  parseAttrPath,
  parseScim1Filter,
} from '../filter.ts';
import { attributeOf, type ResourceType } from '../schema.ts';
import { readName } from './names.ts';

/**
 * Reads a filter of SCIM 1.1 (draft-scim-api-01 section 3.2.2.1) into the model's: `eq co sw pr gt ge lt le` in any
 * case, `and`, `or` and brackets. A value without quotation marks is a text (quirk bareFilterValues). Throws
 * `Problem('invalidFilter')`, also for the operators that only SCIM 2.0 has.
 */
export function readFilter(types: readonly ResourceType[], text: string): Filter {
  return translate(types, parseScim1Filter(text));
}

function translate(types: readonly ResourceType[], filter: Filter): Filter {
  switch (filter.op) {
    case 'and':
    case 'or':
      return { op: filter.op, parts: filter.parts.map((part) => translate(types, part)) };
    case 'pr':
      return { op: 'pr', path: readPath(filter.path) };
    case 'not':
    case 'has':
      throw new Error(`the grammar of SCIM 1.1 has no ${filter.op}`);
    default:
      return readNumber(types, { ...filter, path: readPath(filter.path) });
  }
}

function readPath(path: AttrPath): AttrPath {
  const text = formatAttrPath(path);
  const name = readName(text);
  return name === text ? path : parseAttrPath(name);
}

/** A number that came without quotation marks was read as a text. */
function readNumber(types: readonly ResourceType[], filter: Compare): Compare {
  const isNumber = types.some((type) => ['integer', 'decimal'].includes(attributeOf(type, filter.path)?.type ?? ''));
  if (typeof filter.value !== 'string' || !isNumber) return filter;
  const number = filter.value.trim() === '' ? Number.NaN : Number(filter.value);
  return Number.isFinite(number) ? { ...filter, value: number } : filter;
}
