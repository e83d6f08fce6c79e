import { Problem } from '../../base/problem.ts';
import {
  days,
  mostConditions,
  mostRows,
  mostValues,
  type PolicyRows,
  places,
  type Row,
  type RowCondition,
  type RowPlaces,
  type RowTime,
  rowOperations,
} from './rows.ts';

/**
 * Rows as they are kept: what is empty, or null, is left out, so that equal rows are equal texts. Throws Problem `invalidValue`
 * with its field for what is no such shape; whether it makes sense is for `findRowFaults`.
 */
export function readRows(input: unknown, field = 'rows'): PolicyRows {
  const given = fieldsOf(input, field, ['description', 'where', 'removals', 'list', 'otherwise']);
  const list = given.list ?? [];
  if (!Array.isArray(list)) refuse(`${field}.list`, 'must be a list of rows');
  if (list.length > mostRows) refuse(`${field}.list`, `has ${list.length} rows; at most ${mostRows} are allowed`);
  return {
    ...unless('description', textOf(given.description ?? '', `${field}.description`).trim()),
    ...unless('where', readPlaces(given.where, `${field}.where`)),
    removals: choiceOf(given.removals ?? 'always', `${field}.removals`, ['always', 'as-other-operations']),
    list: list.map((each, n) => readRow(each, `${field}.list[${n}]`)),
    otherwise: choiceOf(given.otherwise ?? 'nothing', `${field}.otherwise`, ['nothing', 'withhold']),
  };
}

function readRow(input: unknown, field: string): Row {
  const given = fieldsOf(input, field, ['effect', 'operations', 'who', 'where', 'when']);
  const { who = [] } = given;
  if (!Array.isArray(who)) refuse(`${field}.who`, 'must be a list of conditions');
  if (who.length > mostConditions) refuse(`${field}.who`, `has more than ${mostConditions} conditions`);
  const chosen = listOf(given.operations, `${field}.operations`).map((each) =>
    choiceOf(each, `${field}.operations`, rowOperations),
  );
  return {
    effect: choiceOf(given.effect, `${field}.effect`, ['let-through', 'withhold']),
    ...unless(
      'operations',
      rowOperations.filter((each) => chosen.includes(each)),
    ),
    ...unless(
      'who',
      who.map((each, n) => readCondition(each, `${field}.who[${n}]`)),
    ),
    ...unless('where', readPlaces(given.where, `${field}.where`)),
    ...unless('when', readTime(given.when, `${field}.when`)),
  };
}

function readCondition(input: unknown, field: string): RowCondition {
  const given = fieldsOf(input, field, ['about', 'attribute', 'is', 'values']);
  const about = choiceOf(given.about, `${field}.about`, ['kind', 'group', 'domain', 'attribute']);
  const tests =
    about === 'attribute'
      ? (['one-of', 'none-of', 'starts-with', 'contains'] as const)
      : (['one-of', 'none-of'] as const);
  const is = choiceOf(given.is, `${field}.is`, tests);
  const values = listOf(given.values, `${field}.values`);
  if (about !== 'attribute') {
    if (given.attribute !== undefined) refuse(`${field}.attribute`, 'goes with about: attribute');
    return { about, is, values: about === 'domain' ? values.map((one) => one.toUpperCase()) : values };
  }
  return { about, attribute: textOf(given.attribute ?? '', `${field}.attribute`).trim(), is, values };
}

function readPlaces(input: unknown, field: string): RowPlaces {
  const given = input === undefined || input === null ? {} : fieldsOf(input, field, places);
  return Object.assign({}, ...places.map((place) => unless(place, listOf(given[place], `${field}.${place}`))));
}

function readTime(input: unknown, field: string): RowTime {
  const given = input === undefined ? {} : fieldsOf(input, field, ['from', 'to', 'days', 'since', 'until']);
  const text = (name: string) => unless(name, textOf(given[name] ?? '', `${field}.${name}`).trim());
  const chosen = listOf(given.days, `${field}.days`).map((each) => choiceOf(each, `${field}.days`, days));
  return {
    ...text('from'),
    ...text('to'),
    ...unless(
      'days',
      days.filter((day) => chosen.includes(day)),
    ),
    ...text('since'),
    ...text('until'),
  };
}

function unless<K extends string, V extends object | string>(key: K, value: V): { [key in K]?: V } {
  const size = typeof value === 'string' ? value.length : Object.keys(value).length;
  return (size === 0 ? {} : { [key]: value }) as { [key in K]?: V };
}

function refuse(field: string, why: string): never {
  throw new Problem('invalidValue', `${field} ${why}`, { field });
}

function fieldsOf(value: unknown, field: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(field, 'must be an object');
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) refuse(`${field}.${key}`, `is not known; known are ${known.join(', ')}`);
  }
  return value as Record<string, unknown>;
}

function choiceOf<C extends string>(value: unknown, field: string, choices: readonly C[]): C {
  return choices.find((one) => one === value) ?? refuse(field, `must be ${choices.join(' or ')}`);
}

function textOf(value: unknown, field: string): string {
  return typeof value === 'string' ? value : refuse(field, 'must be a text');
}

/** Each once. */
function listOf(value: unknown, field: string): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) refuse(field, 'must be a list of texts');
  if (value.length > mostValues) refuse(field, `has ${value.length} values; at most ${mostValues} are allowed`);
  return [...new Set<string>(value)];
}
