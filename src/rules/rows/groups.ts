import { mostConditions, mostRows, type PolicyRows, type RowCondition } from './rows.ts';

/** Groups would be withheld without anybody having said so. */
export interface GroupsHint {
  readonly says: string;
  /** The same rows, withholding users alone where groups were not meant. */
  readonly mended: PolicyRows;
}

/**
 * Groups are subjects too, mostly in no group themselves and without the attributes of people. So conditions about
 * people decide on them by accident: `not in Sales` holds for every group, `in Sales` for none. A row withholds groups
 * unsaid when it has such a condition, or when a row before lets people through by one, and neither names a kind.
 * Undefined when no row does. Of rows without faults.
 */
export function hintAtGroups(rows: PolicyRows): GroupsHint | undefined {
  const { unsaid, otherwise } = findUnsaid(rows);
  if (unsaid.size === 0 && !otherwise) return undefined;
  const asked = new Set<string>();
  const list = rows.list.flatMap((row, n) => {
    const mended = unsaid.has(n) ? { ...row, who: [aUser, ...(row.who ?? [])] } : row;
    // One that asks the same as another before it would never decide.
    const { effect: _, ...question } = mended;
    const key = JSON.stringify(question);
    if (unsaid.has(n) && asked.has(key)) return [];
    asked.add(key);
    return [mended];
  });
  if (otherwise) list.push({ effect: 'let-through', who: [aGroup] });
  if (list.length > mostRows || list.some((row) => (row.who?.length ?? 0) > mostConditions)) return undefined;
  const places = [...[...unsaid].map((n) => `row ${n + 1}`), ...(otherwise ? ['“Withhold everything else”'] : [])];
  const named = places.length === 1 ? places[0] : `${places.slice(0, -1).join(', ')} and ${places.at(-1)}`;
  const says =
    'Groups themselves are asked about too, not people alone: ' +
    `${named} ${places.length === 1 ? 'withholds' : 'withhold'} them, and nothing here says so.`;
  return { says, mended: { ...rows, list } };
}

const aUser: RowCondition = { about: 'kind', is: 'one-of', values: ['user'] };
const aGroup: RowCondition = { about: 'kind', is: 'one-of', values: ['group'] };

/** Walks the rows as a group in no group does. */
function findUnsaid({ list, otherwise }: PolicyRows): { unsaid: Set<number>; otherwise: boolean } {
  const unsaid = new Set<number>();
  let isPassedOver = false;
  for (const [n, { effect, who = [], operations, where, when }] of list.entries()) {
    const saysSo = who.some((one) => one.about === 'kind' || isOfGroups(one));
    if (!who.every(mayHoldForGroup)) {
      if (effect === 'let-through' && !saysSo) isPassedOver = true;
      continue;
    }
    // Groups have no passwords.
    if (operations?.join() === 'password') continue;
    if (effect === 'withhold' && !saysSo && (isPassedOver || who.some(isAboutPeople))) unsaid.add(n);
    const isAlways = !operations && !where && !when && who.every((one) => one.about === 'kind' || isAboutPeople(one));
    if (isAlways) return { unsaid, otherwise: false };
  }
  return { unsaid, otherwise: otherwise === 'withhold' && isPassedOver };
}

function mayHoldForGroup(condition: RowCondition): boolean {
  const { about, is, values } = condition;
  if (about === 'kind') return values.includes('group') === (is === 'one-of');
  return !isAboutPeople(condition) || is === 'none-of';
}

const isAboutPeople = (condition: RowCondition) =>
  condition.about === 'group' || (condition.about === 'attribute' && !isOfGroups(condition));

/** Attributes that groups have too. */
function isOfGroups({ about, attribute = '' }: RowCondition): boolean {
  if (about !== 'attribute') return false;
  return /^(?:urn:.*:Group:.*|(?:http:\/\/wso2\.org\/claims\/)?(?:displayName|externalid|externalId)|id|members\..*)$/.test(
    attribute,
  );
}
