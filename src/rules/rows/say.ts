import type { PolicyRows, Row, RowCondition, RowOperation, RowPlaces, RowTime } from './rows.ts';

/** Rows in plain words, one sentence each; of what is not filled in yet `…` is said. */
export function sayRows(rows: PolicyRows): string[] {
  return rows.list.map(sayRow);
}

export const removalsSentence = 'Let through every removal.';

/**
 * What is withheld when no row applies. Where a single row lets some through, it says what all others lack: `Withhold
 * everybody else: not in Sales, or not from 22:00 to 06:00.`
 */
export function sayOtherwise(list: readonly Row[]): string {
  const [row] = list;
  const lacks = row && list.length === 1 && row.effect === 'let-through' ? sayLack(row) : [];
  if (row === undefined || lacks.length === 0) return 'Withhold everything else.';
  return `Withhold ${row.who === undefined ? 'everything' : 'everybody'} else: ${lacks.join(', or ')}.`;
}

/** Why a row may not apply, each part by itself. */
function sayLack({ who = [], where = {}, when = {}, operations = [] }: Row): string[] {
  const { since, until, ...times } = when;
  const named = operations.map((one) => nouns[one]);
  return [
    ...(named.length > 0 ? [`not among ${either(named, 'and')}`] : []),
    ...who.map(sayOpposite),
    ...sayPlaces(where).map((place) => `not ${place}`),
    ...sayTime(times).map((time) => `not ${time}`),
    ...(since ? [`before ${since}`] : []),
    ...(until ? [`after ${until}`] : []),
  ];
}

function sayOpposite({ about, attribute = '', is, values }: RowCondition): string {
  const not = is === 'none-of' ? '' : 'not ';
  const some = either(values.map(shorten), 'or');
  switch (about) {
    case 'kind':
      return `${not}a ${some}`;
    case 'group':
      return `${not}in ${some}`;
    case 'domain':
      return `${not}of the domain ${some}`;
    case 'attribute': {
      const verb = {
        'one-of': 'is not',
        'none-of': 'is',
        'starts-with': 'does not begin with',
        contains: 'does not contain',
      }[is];
      return `${shorten(lastOf(attribute))} ${verb} ${some}`;
    }
  }
}

/** `Withhold creations of everybody in Sales, at partner, from 22:00 to 06:00.` */
export function sayRow(row: Row): string {
  const { who = [], where = {}, when = {}, operations = [] } = row;
  const parts = [
    ['everybody', who.map(sayCondition).join(' and ')].filter((text) => text !== '').join(' '),
    ...sayPlaces(where),
    ...sayTime(when),
  ];
  const nounsOf = either(
    operations.map((one) => nouns[one]),
    'and',
  );
  const what = operations.length === 0 ? '' : `${nounsOf} of `;
  const sentence = `${row.effect === 'withhold' ? 'Withhold' : 'Let through'} ${what}${parts.join(', ')}`;
  return sentence.endsWith('…') ? sentence : `${sentence}.`;
}

const nouns: Record<RowOperation, string> = {
  create: 'creations',
  change: 'changes',
  password: 'passwords',
  remove: 'removals',
};

function sayCondition({ about, attribute = '', is, values }: RowCondition): string {
  const not = is === 'none-of' ? 'not ' : '';
  const some = either(values.map(shorten), 'or');
  switch (about) {
    case 'kind':
      return `who is ${not}a ${some}`;
    case 'group':
      return `${not}in ${some}`;
    case 'domain':
      return `${not}of the domain ${some}`;
    case 'attribute': {
      const verb = { 'one-of': 'is', 'none-of': 'is not', 'starts-with': 'begins with', contains: 'contains' }[is];
      return `whose ${shorten(lastOf(attribute))} ${verb} ${some}`;
    }
  }
}

/** The short name of an attribute: what stands last in its path or URI. */
function lastOf(attribute: string): string {
  return /[^:/]+$/.exec(attribute)?.[0] ?? attribute;
}

function sayPlaces({ identityProviders = [], connectorTypes = [], serviceProviders = [] }: RowPlaces): string[] {
  return [
    ...(identityProviders.length > 0 ? [`at ${either(identityProviders.map(shorten), 'or')}`] : []),
    ...(connectorTypes.length > 0 ? [`through ${either(connectorTypes.map(shorten), 'or')}`] : []),
    ...(serviceProviders.length > 0 ? [`for ${either(serviceProviders.map(shorten), 'or')}`] : []),
  ];
}

function sayTime({ from, to, days = [], since, until }: RowTime): string[] {
  // People's weeks begin on Monday.
  const week = [...days.filter((day) => day !== 'sunday'), ...days.filter((day) => day === 'sunday')];
  const named = week.map((day) => `${day[0]!.toUpperCase()}${day.slice(1)}s`);
  const isWorkWeek = week.join() === 'monday,tuesday,wednesday,thursday,friday';
  return [
    ...(from || to ? [`from ${from ?? '…'} to ${to ?? '…'}`] : []),
    ...(named.length > 0 ? [`on ${isWorkWeek ? 'Mondays to Fridays' : either(named, 'and')}`] : []),
    ...(since ? [`from ${since} on`] : []),
    ...(until ? [`until ${until}`] : []),
  ];
}

const mostNamed = 5;

function either(all: readonly string[], word: 'and' | 'or'): string {
  if (all.length === 0) return '…';
  if (all.length > mostNamed)
    return `${all.slice(0, mostNamed - 1).join(', ')} ${word} ${all.length - mostNamed + 1} more`;
  return all.length === 1 ? all[0]! : `${all.slice(0, -1).join(', ')} ${word} ${all.at(-1)}`;
}

function shorten(text: string): string {
  if (text === '') return '…';
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
