import { types } from '../datatypes/table.ts';
import {
  longestValue,
  type PolicyRows,
  places,
  type Row,
  type RowCondition,
  type RowFault,
  type RowPlaces,
  type RowTime,
} from './rows.ts';

/** What keeps rows from being a policy: what is blank or unreadable, contradicts itself, or could never decide. */
export function findRowFaults(rows: PolicyRows, field = 'rows'): RowFault[] {
  if (rows.list.length === 0)
    return [{ field: `${field}.list`, reason: 'Add a row: without any, nothing is decided.' }];
  const own = [
    ...(rows.description === undefined ? [] : checkValues([rows.description], `${field}.description`)),
    ...checkPlaces(rows.where ?? {}, `${field}.where`),
    ...rows.list.flatMap((row, n) => checkRow(row, `${field}.list[${n}]`)),
  ];
  if (own.length > 0) return own;
  return rows.list.flatMap((row, n) => findUseless(row, rows, n, `${field}.list[${n}]`));
}

function checkRow(row: Row, field: string): RowFault[] {
  const who = row.who ?? [];
  const faults = who.flatMap((one, n) => checkCondition(one, `${field}.who[${n}]`));
  faults.push(...checkPlaces(row.where ?? {}, `${field}.where`));
  faults.push(...checkTime(row.when ?? {}, `${field}.when`));
  return faults.length > 0 ? faults : findContradiction(who, field);
}

function checkCondition(condition: RowCondition, field: string): RowFault[] {
  const { about, attribute = '', values } = condition;
  const faults: RowFault[] = [];
  const say = (name: string, reason: string) => faults.push({ field: `${field}.${name}`, reason });
  if (about === 'attribute' && attribute === '') say('attribute', 'Name the attribute.');
  else if (/[<>"{}|\\^`\s]/.test(attribute) || attribute.length > longestValue) {
    say('attribute', 'Name the attribute by its SCIM path or claim URI, without spaces or filters.');
  }
  if (values.length === 0) say('values', 'Give at least one value.');
  if (about === 'kind' && values.some((value) => value !== 'user' && value !== 'group')) {
    say('values', 'A kind is user or group.');
  }
  if (about === 'domain' && values.some((value) => value.includes('/'))) {
    say('values', 'Name the user store domain alone, without a slash.');
  }
  return [...faults, ...checkValues(values, `${field}.values`)];
}

function checkPlaces(where: RowPlaces, field: string): RowFault[] {
  return places.flatMap((place) => checkValues(where[place] ?? [], `${field}.${place}`));
}

function checkValues(values: readonly string[], field: string): RowFault[] {
  if (values.some((value) => value === '')) return [{ field, reason: 'A value is empty.' }];
  if (values.some((value) => value.length > longestValue)) {
    return [{ field, reason: `A value is longer than ${longestValue} characters.` }];
  }
  // What XML cannot carry, or would carry as something else.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const unfit = values.some((value) => /[\u0000-\u001f\u007f\ufffe\uffff]/.test(value) || !value.isWellFormed());
  return unfit ? [{ field, reason: 'A value holds a control character or line break.' }] : [];
}

function checkTime({ from, to, since, until }: RowTime, field: string): RowFault[] {
  const faults: RowFault[] = [];
  const say = (name: string, reason: string) => faults.push({ field: `${field}.${name}`, reason });
  for (const [name, text] of [
    ['from', from],
    ['to', to],
  ] as const) {
    if (text !== undefined && !isTimeOfDay(text)) say(name, 'Write a time of day as 09:00.');
  }
  if (from === undefined && to !== undefined) say('from', 'Give the time it begins too.');
  if (to === undefined && from !== undefined) say('to', 'Give the time it ends too.');
  for (const [name, text] of [
    ['since', since],
    ['until', until],
  ] as const) {
    if (text !== undefined && !isDate(text)) say(name, 'Write a date as 2026-12-31.');
  }
  if (faults.length > 0) return faults;
  if (from !== undefined && fullTime(from) === fullTime(to!)) say('to', 'It ends at the moment it begins.');
  if (since !== undefined && until !== undefined && until < since) say('until', 'It ends before it begins.');
  return faults;
}

const isTimeOfDay = (text: string) => /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/.test(text);
const isDate = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && types.date.parse(text) !== undefined;
export const fullTime = (text: string) => (text.length === 5 ? `${text}:00` : text);

/** Conditions of one row that nobody can meet together. */
function findContradiction(who: readonly RowCondition[], field: string): RowFault[] {
  for (const [n, condition] of who.entries()) {
    const at = `${field}.who[${n}].values`;
    for (const other of who.slice(0, n)) {
      if (other.about !== condition.about || other.attribute !== condition.attribute) continue;
      const isWithin = (some: RowCondition, all: RowCondition) =>
        some.values.every((value) => all.values.includes(value));
      const [one, none] = condition.is === 'none-of' ? [other, condition] : [condition, other];
      const excluded = one.is === 'one-of' && none.is === 'none-of' && isWithin(one, none);
      // Nobody is of two kinds or in two domains; of groups and attributes there may be several.
      const single = condition.about === 'kind' || condition.about === 'domain';
      const bothOne = condition.is === 'one-of' && other.is === 'one-of';
      const apart = single && bothOne && !condition.values.some((value) => other.values.includes(value));
      if (excluded || apart) {
        return [{ field: at, reason: 'Nobody can be so: it contradicts another condition of this row.' }];
      }
    }
    if (condition.about === 'kind' && condition.is === 'none-of' && condition.values.length === 2) {
      return [{ field: at, reason: 'Nobody can be so: everybody is a user or a group.' }];
    }
  }
  return [];
}

/** A row that never comes to decide. */
function findUseless(row: Row, rows: PolicyRows, n: number, field: string): RowFault[] {
  const { effect: _, ...conditions } = row;
  const isAll = ({ effect: __, ...asked }: Row) => Object.keys(asked).length === 0;
  const before = rows.list.slice(0, n).findIndex((one) => {
    const { effect: __, ...asked } = one;
    return isAll(one) || JSON.stringify(asked) === JSON.stringify(conditions);
  });
  if (before >= 0) {
    const what = isAll(rows.list[before]!) ? 'applies to everything' : 'asks the same';
    return [{ field, reason: `Row ${n + 1} never decides: row ${before + 1} ${what}.` }];
  }
  if (rows.removals === 'always' && row.operations?.length === 1 && row.operations[0] === 'remove') {
    const reason = `Row ${n + 1} never decides: it is about removals alone, and they are always let through here.`;
    return [{ field: `${field}.operations`, reason }];
  }
  for (const place of places) {
    const [own, all] = [row.where?.[place], rows.where?.[place]];
    if (own === undefined || all === undefined || own.some((one) => all.includes(one))) continue;
    const reason = `Row ${n + 1} never decides: the policy is about ${all.join(', ')} alone.`;
    return [{ field: `${field}.where.${place}`, reason }];
  }
  return [];
}
