import { Problem } from '../../base/problem.ts';
import { escapeText } from '../../protocol/xml/write.ts';
import { types } from '../datatypes/table.ts';
import { clockAttributes, environmentCategory } from '../identifiers.ts';
import { type ProvisioningOperation, provisioningNames } from '../provisioning-request.ts';
import {
  apply,
  attributeValue,
  designator,
  function1,
  function2,
  function3,
  indent,
  join,
  type Lines,
  matchAnyOf,
  memberCondition,
  stringValue,
  writePolicy,
  writeTarget,
} from '../write-policy.ts';
import { findRowFaults, fullTime } from './check.ts';
import { dayOfWeekVariables, isOnDays } from './day-of-week.ts';
import type { PolicyRows, Row, RowCondition, RowOperation, RowPlaces, RowTime } from './rows.ts';
import { removalsSentence, sayOtherwise, sayRow } from './say.ts';

const n = provisioningNames;

/**
 * Writes the policy that rows make: each becomes a rule, described in plain words, and the first that applies decides.
 * `name` becomes its id. Throws Problem `invalidValue` with the field of the first fault (`findRowFaults`).
 */
export function fillRows(rows: PolicyRows, name: string): string {
  const [fault] = findRowFaults(rows);
  if (fault) throw new Problem('invalidValue', fault.reason, { field: fault.field });
  const usesDays = rows.list.some((row) => row.when?.days !== undefined);
  return writePolicy(encodeURIComponent(name), '1.0', rows.description ?? usualDescription, [
    ...writeTarget(matchPlaces(rows.where ?? {})),
    ...(usesDays ? dayOfWeekVariables() : []),
    ...(rows.removals === 'always' ? writeRule('removals', 'Permit', removalsSentence, [operationIs(['remove'])]) : []),
    ...rows.list.flatMap((row, at) =>
      writeRule(
        `row_${at + 1}`,
        row.effect === 'let-through' ? 'Permit' : 'Deny',
        sayRow(row),
        targetOf(row),
        conditionsOf(row),
      ),
    ),
    ...(rows.otherwise === 'withhold' ? writeRule('otherwise', 'Deny', sayOtherwise(rows.list), []) : []),
  ]);
}

const usualDescription = 'Made from rows: the first that applies decides.';

function writeRule(
  id: string,
  effect: 'Permit' | 'Deny',
  description: string,
  anyOfs: readonly Lines[],
  conditions: readonly Lines[] = [],
): Lines {
  const parts = [
    `<Description>${escapeText(description)}</Description>`,
    ...(anyOfs.length === 0 ? [] : ['<Target>', ...indent(anyOfs.flat()), '</Target>']),
    ...(conditions.length === 0 ? [] : ['<Condition>', ...indent(join('and', conditions)), '</Condition>']),
  ];
  return [`<Rule RuleId="${id}" Effect="${effect}">`, ...indent(parts), '</Rule>'];
}

/** As it is computed for a request: what rules are asked about. */
export const operationOf: Record<RowOperation, ProvisioningOperation> = {
  create: 'POST',
  change: 'PUT',
  password: 'PATCH',
  remove: 'DELETE',
};

function operationIs(operations: readonly RowOperation[]): Lines {
  return matchAnyOf(
    n.provisioningCategory,
    n.operation,
    operations.map((one) => operationOf[one]),
  );
}

/** What can be found by equality stands in the target, where it costs least. */
function targetOf({ operations, where = {} }: Row): Lines[] {
  return [...(operations ? [operationIs(operations)] : []), ...matchPlaces(where)];
}

function matchPlaces(where: RowPlaces): Lines[] {
  return [
    ...(where.identityProviders ? [matchAnyOf(n.idpCategory, n.idpName, where.identityProviders)] : []),
    ...(where.connectorTypes ? [matchAnyOf(n.idpCategory, n.connectorType, where.connectorTypes)] : []),
    ...(where.serviceProviders ? [matchAnyOf(n.spCategory, n.spName, where.serviceProviders)] : []),
  ];
}

/** Times come last, so that who is not meant anyway is not asked about again each minute. */
function conditionsOf({ who = [], when = {} }: Row): Lines[] {
  return [...who.map(writeCondition), ...timesOf(when)];
}

function writeCondition(condition: RowCondition): Lines {
  const holds = writePositive(condition);
  return condition.is === 'none-of' ? apply(`${function1}not`, [holds]) : holds;
}

function writePositive({ about, attribute = '', is, values }: RowCondition): Lines {
  switch (about) {
    case 'kind':
      return join('or', values.map(isKind));
    case 'group':
      return memberCondition(n.provisioningCategory, n.claimGroup, values);
    case 'domain':
      return join('or', values.map(isOfDomain));
    case 'attribute':
      if (is === 'one-of' || is === 'none-of') return memberCondition(n.userCategory, attribute, values);
      return join(
        'or',
        values.map((value) => anyValue(is === 'contains' ? 'string-contains' : 'string-starts-with', value, attribute)),
      );
  }
}

/** Only users have a userName. */
function isKind(kind: string): Lines {
  const names = [designator(n.userCategory, `${claims}username`, types.string.id)];
  const count = apply(`${function1}string-bag-size`, [names]);
  return apply(`${function1}integer-${kind === 'user' ? 'greater-than' : 'equal'}`, [
    count,
    [attributeValue('integer', '0')],
  ]);
}

const claims = 'http://wso2.org/claims/';

/** Outside PRIMARY names begin with their domain; inside it they hold no slash. */
function isOfDomain(domain: string): Lines {
  if (domain !== 'PRIMARY') return anyValue('string-starts-with', `${domain}/`, n.username);
  return apply(`${function1}not`, [anyValue('string-contains', '/', n.username)]);
}

function anyValue(test: 'string-contains' | 'string-starts-with', value: string, attribute: string): Lines {
  return apply(`${function3}any-of`, [
    [`<Function FunctionId="${function3}${test}"/>`],
    [stringValue(value)],
    [designator(n.userCategory, attribute, types.string.id)],
  ]);
}

function timesOf({ from, to, days, since, until }: RowTime): Lines[] {
  const now = (type: 'time' | 'date') =>
    apply(`${function1}${type}-one-and-only`, [
      [designator(environmentCategory, clockAttributes[type], types[type].id)],
    ]);
  const time = (text: string) => [attributeValue('time', fullTime(text))];
  const date = (text: string) => [attributeValue('date', text)];
  return [
    ...(from && to ? [apply(`${function2}time-in-range`, [now('time'), time(from), time(to)])] : []),
    ...(days ? [isOnDays(days)] : []),
    ...(since ? [apply(`${function1}date-greater-than-or-equal`, [now('date'), date(since)])] : []),
    ...(until ? [apply(`${function1}date-less-than-or-equal`, [now('date'), date(until)])] : []),
  ];
}
