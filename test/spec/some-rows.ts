import fc from 'fast-check';
import type { ProvisioningRequest } from '../../src/rules/provisioning-request.ts';
import { findRowFaults } from '../../src/rules/rows/check.ts';
import { readRows } from '../../src/rules/rows/read.ts';
import { days, type RowCondition, rowOperations } from '../../src/rules/rows/rows.ts';
import { openZone } from '../../src/rules/zone.ts';

/** Rows and requests by chance. */

// Small worlds, so that rows and people meet.
const text = fc.constantFrom('Sales', 'sales', 'Sal', 'A & <B>', '"quoted"', ' spaced ', '🎈', "it's ]]> here", 'a,b');
export const texts = fc.uniqueArray(text, { minLength: 1, maxLength: 3 });
const attributeName = fc.constantFrom(
  'title',
  'emails.value',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department',
);
const plain = fc.constantFrom('one-of' as const, 'none-of' as const);
const condition: fc.Arbitrary<RowCondition> = fc.oneof(
  fc.record({
    about: fc.constant('kind' as const),
    is: plain,
    values: fc.subarray(['user', 'group'], { minLength: 1 }),
  }),
  fc.record({ about: fc.constant('group' as const), is: plain, values: texts }),
  fc.record({
    about: fc.constant('domain' as const),
    is: plain,
    values: fc.subarray(['PRIMARY', 'SALES', 'SAL'], { minLength: 1 }),
  }),
  fc.record({
    about: fc.constant('attribute' as const),
    attribute: attributeName,
    is: fc.constantFrom('one-of' as const, 'none-of' as const, 'starts-with' as const, 'contains' as const),
    values: texts,
  }),
);
const two = (n: number) => String(n).padStart(2, '0');
export const clock = fc.tuple(fc.nat(23), fc.nat(59), fc.option(fc.nat(59))).map(([h, m, s]) => {
  return [h, m, ...(s === null ? [] : [s])].map(two).join(':');
});
export const moment = fc.integer({ min: Date.UTC(1999, 11, 1), max: Date.UTC(2101, 2, 1) });
const date = moment.map((at) => new Date(at).toISOString().slice(0, 10));
const time = fc
  .record({
    bounds: fc.option(fc.tuple(clock, clock)),
    days: fc.subarray([...days]),
    since: fc.option(date),
    until: fc.option(date),
  })
  .map(({ bounds, days: some, since, until }) => ({
    ...(bounds ? { from: bounds[0], to: bounds[1] } : {}),
    days: some,
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
  }));
const places = fc.record({
  identityProviders: fc.subarray(['partner', 'travel & co']),
  connectorTypes: fc.subarray(['SCIM2', 'scim']),
  serviceProviders: fc.subarray(['resident', 'hr']),
});
const row = fc.record({
  effect: fc.constantFrom('let-through', 'withhold'),
  operations: fc.subarray([...rowOperations]),
  who: fc.array(condition, { maxLength: 3 }),
  where: places,
  when: fc.oneof(fc.constant({}), time),
});
export const someRows = fc
  .record({
    description: fc.constantFrom('', 'For <everybody> & nobody'),
    where: fc.oneof(fc.constant({}), places),
    removals: fc.constantFrom('always', 'as-other-operations'),
    list: fc.array(row, { minLength: 1, maxLength: 5 }),
    otherwise: fc.constantFrom('nothing', 'withhold'),
  })
  .map((input) => readRows(input))
  .filter((rows) => findRowFaults(rows).length === 0);

export const someRequest: fc.Arbitrary<ProvisioningRequest> = fc
  .record({
    name: fc.constantFrom('ada', 'SALES/ada', 'SALESMEN/ada', 'SAL/eve'),
    isUser: fc.boolean(),
    title: fc.array(text, { maxLength: 2 }),
    mails: fc.array(text, { maxLength: 2 }),
    roles: fc.array(text, { maxLength: 3 }),
    serviceProvider: fc.constantFrom('resident', 'hr'),
    identityProvider: fc.constantFrom('partner', 'travel & co'),
    connectorType: fc.constantFrom('SCIM2', 'scim'),
    operation: fc.constantFrom('POST' as const, 'PUT' as const, 'PATCH' as const, 'DELETE' as const),
    at: moment,
  })
  .map(({ name, isUser, title, mails, ...rest }) => {
    const attributes = new Map<string, string[]>();
    if (isUser) attributes.set('userName', [name]);
    if (title.length > 0) attributes.set('title', title);
    if (mails.length > 0) attributes.set('emails.value', mails);
    return { subject: name, attributes, ...rest };
  });

export const zones = ['UTC', 'Europe/Zurich', 'America/St_Johns', 'Pacific/Kiritimati', 'Asia/Kathmandu'].map(openZone);
