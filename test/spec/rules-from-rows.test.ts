import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../src/base/problem.ts';
import { decideProvisioning } from '../../src/rules/decide.ts';
import type { ProvisioningRequest } from '../../src/rules/provisioning-request.ts';
import { fillRows, operationOf } from '../../src/rules/rows/fill.ts';
import { readRows } from '../../src/rules/rows/read.ts';
import {
  type Day,
  days,
  type PolicyRows,
  type Row,
  type RowCondition,
  type RowTime,
} from '../../src/rules/rows/rows.ts';
import { sayOtherwise, sayRow, sayRows } from '../../src/rules/rows/say.ts';
import { someRequest, someRows, zones } from './some-rows.ts';
import { accept, document } from './xacml-case.ts';

/** What rows mean, written down without XACML. */
function decideByHand(
  rows: PolicyRows,
  request: ProvisioningRequest,
  offset: number,
): 'permit' | 'deny' | 'not-applicable' {
  const { identityProviders, connectorTypes, serviceProviders } = rows.where ?? {};
  const isAbout =
    (identityProviders?.includes(request.identityProvider) ?? true) &&
    (connectorTypes?.includes(request.connectorType) ?? true) &&
    (serviceProviders?.includes(request.serviceProvider) ?? true);
  if (!isAbout) return 'not-applicable';
  if (rows.removals === 'always' && request.operation === 'DELETE') return 'permit';
  const row = rows.list.find((one) => applies(one, request, offset));
  if (row) return row.effect === 'let-through' ? 'permit' : 'deny';
  return rows.otherwise === 'withhold' ? 'deny' : 'not-applicable';
}

function applies(row: Row, request: ProvisioningRequest, offset: number): boolean {
  const { who = [], where = {}, operations, when = {} } = row;
  const fits = (wanted: readonly string[] | undefined, is: string) => wanted === undefined || wanted.includes(is);
  return (
    (operations === undefined || operations.some((one) => operationOf[one] === request.operation)) &&
    fits(where.identityProviders, request.identityProvider) &&
    fits(where.connectorTypes, request.connectorType) &&
    fits(where.serviceProviders, request.serviceProvider) &&
    who.every((one) => isSo(one, request)) &&
    isThen(when, new Date(request.at + offset * 60_000))
  );
}

function isSo({ about, attribute, is, values }: RowCondition, request: ProvisioningRequest): boolean {
  const slash = request.subject.indexOf('/');
  const own = {
    kind: [request.attributes.get('userName') ? 'user' : 'group'],
    group: request.roles,
    domain: [slash < 0 ? 'PRIMARY' : request.subject.slice(0, slash)],
    attribute: request.attributes.get(attribute ?? '') ?? [],
  }[about];
  const some = (test: (value: string, given: string) => boolean) =>
    own.some((v) => values.some((given) => test(v, given)));
  if (is === 'starts-with') return some((value, given) => value.startsWith(given));
  if (is === 'contains') return some((value, given) => value.includes(given));
  return some((value, given) => value === given) === (is === 'one-of');
}

/** `local`: its UTC fields are those of the clock on the wall. */
function isThen({ from, to, days: some, since, until }: RowTime, local: Date): boolean {
  const second = (text: string) =>
    text.split(':').reduce((sum, part, n) => sum + Number(part) * 60 ** (2 - n), 0) * 1_000;
  const now = local.getTime() - Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate());
  const today = local.toISOString().slice(0, 10);
  if (from !== undefined && to !== undefined) {
    const [a, b] = [second(from), second(to)];
    if (a <= b ? now < a || now > b : now < a && now > b) return false;
  }
  return (
    (some === undefined || some.includes(days[local.getUTCDay()]!)) &&
    (since === undefined || today >= since) &&
    (until === undefined || today <= until)
  );
}

describe('rules made from rows', () => {
  it('decide as the rows say, whoever asks and whenever', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        someRows,
        fc.array(someRequest, { minLength: 5, maxLength: 5 }),
        fc.constantFrom(...zones),
        (rows, requests, zone) => {
          const policies = accept(fillRows(rows, 'any name: at all'));
          for (const request of requests) {
            const byHand = decideByHand(rows, request, zone.offsetAt(request.at));
            assert.equal(decideProvisioning(policies, request, { zone }).decision, byHand);
            seen.add(byHand);
          }
        },
      ),
      { numRuns: 400, interruptAfterTimeLimit: 8_000 },
    );
    assert.deepEqual([...seen].sort(), ['deny', 'not-applicable', 'permit']);
  });

  it('know the day of the week, on every day of the calendar, in every zone', () => {
    const policies = new Map(
      days.map((day) => {
        const list = [{ effect: 'withhold', when: { days: [day] } }];
        return [day, accept(fillRows(readRows({ list }), day))];
      }),
    );
    const ask = (day: Day, at: number, zone: (typeof zones)[number]) =>
      decideProvisioning(policies.get(day)!, { ...sample, at }, { zone }).decision;
    const started = Date.UTC(1896, 0, 1);
    for (let n = 0; n < 150_000; n += 1) {
      // Each month's ends, and steps that meet every day of the week in between.
      if (n % 29 !== 0 && ![1, 28, 29].includes(new Date(started + n * 86_400_000).getUTCDate())) continue;
      const at = started + n * 86_400_000;
      const day = days[new Date(at).getUTCDay()]!;
      assert.equal(ask(day, at, zones[0]!), 'deny', new Date(at).toISOString());
    }
    for (const zone of zones) {
      for (let hour = 0; hour < 24 * 9; hour++) {
        const at = Date.UTC(2024, 1, 25, hour);
        const here = days[new Date(at + zone.offsetAt(at) * 60_000).getUTCDay()]!;
        for (const day of days) assert.equal(ask(day, at, zone) === 'deny', day === here);
      }
    }
  });

  it('say who decided, in the words of the row, and whether the clock was looked at', () => {
    const rows = readRows({
      list: [
        {
          effect: 'withhold',
          who: [{ about: 'group', is: 'one-of', values: ['Night shift'] }],
          when: { from: '22:00', to: '06:00' },
        },
        { effect: 'let-through', operations: ['create', 'change'] },
      ],
      otherwise: 'withhold',
    });
    const policies = accept(document(fillRows(rows, 'night shift'), 'evaluated', 'night shift'));
    const zone = zones[0]!;
    const at = Date.UTC(2026, 0, 1, 23);
    const held = decideProvisioning(policies, { ...sample, roles: ['Night shift'], at }, { zone });
    assert.deepEqual(
      [held.reason, held.readsClock],
      ['denied by policy night shift: Withhold everybody in Night shift, from 22:00 to 06:00.', true],
    );
    const other = decideProvisioning(policies, { ...sample, at }, { zone, trace: true });
    assert.deepEqual(
      [other.reason, other.readsClock],
      ['permitted by policy night shift: Let through creations and changes of everybody.', false],
    );
    const [policy] = other.trace!;
    assert.deepEqual([policy!.id, policy!.name], ['night%20shift', 'night shift'], 'the trace has the id as it is');
    assert.deepEqual(
      policy!.children.map((node) => node.description),
      ['Let through every removal.', ...sayRows(rows)],
    );
    const last = decideProvisioning(policies, { ...sample, operation: 'PATCH', at }, { zone });
    assert.equal(last.reason, 'denied by policy night shift: Withhold everything else.');
  });

  it('are said in plain words, also while they are being filled in', () => {
    const say = (input: unknown) => sayRow(readRows({ list: [input] }).list[0]!);
    assert.equal(say({ effect: 'let-through' }), 'Let through everybody.');
    assert.equal(
      say({
        effect: 'withhold',
        operations: ['remove', 'create'],
        who: [
          {
            about: 'attribute',
            attribute: 'urn:ietf:params:scim:schemas:core:2.0:User:title',
            is: 'none-of',
            values: ['A', 'B'],
          },
          { about: 'kind', is: 'one-of', values: ['user'] },
        ],
        where: { identityProviders: ['partner'], connectorTypes: ['SCIM2'], serviceProviders: ['hr'] },
        when: {
          days: ['tuesday', 'monday', 'wednesday', 'thursday', 'friday'],
          since: '2026-01-01',
          until: '2026-12-31',
        },
      }),
      'Withhold creations and removals of everybody whose title is not A or B and who is a user, at partner, through SCIM2, for hr, on Mondays to Fridays, from 2026-01-01 on, until 2026-12-31.',
    );
    const rest = (input: unknown) => sayOtherwise(readRows({ list: [input].flat() }).list);
    assert.equal(rest({ effect: 'withhold', when: { days: ['monday'] } }), 'Withhold everything else.');
    assert.equal(rest({ effect: 'let-through' }), 'Withhold everything else.');
    assert.equal(
      rest({
        effect: 'let-through',
        operations: ['create'],
        who: [
          { about: 'group', is: 'none-of', values: ['A', 'B'] },
          { about: 'kind', is: 'one-of', values: ['user'] },
          { about: 'domain', is: 'one-of', values: ['SALES'] },
          { about: 'attribute', attribute: 'name.familyName', is: 'starts-with', values: ['L'] },
        ],
        where: { identityProviders: ['partner'] },
        when: { from: '09:00', to: '17:00', since: '2026-01-01', until: '2026-12-31' },
      }),
      'Withhold everybody else: not among creations, or in A or B, or not a user, or not of the domain SALES, ' +
        'or name.familyName does not begin with L, or not at partner, or not from 09:00 to 17:00, ' +
        'or before 2026-01-01, or after 2026-12-31.',
    );
    const blank = { effect: 'withhold', who: [{ about: 'attribute', is: 'contains' }], when: { from: '09:00' } };
    assert.equal(say(blank), 'Withhold everybody whose … contains …, from 09:00 to …');
  });

  it('name the field at fault', () => {
    const group = (is: string, ...values: string[]) => ({ about: 'group', is, values });
    const one = (more: object) => ({ list: [{ effect: 'withhold', ...more }] });
    const refusals: [unknown, string, RegExp][] = [
      [[], 'rows', /object/],
      [{ rows: [] }, 'rows.rows', /not known/],
      [{ list: 'x' }, 'rows.list', /list of rows/],
      [{ list: [] }, 'rows.list', /Add a row/],
      [{ list: [{}] }, 'rows.list[0].effect', /let-through or withhold/],
      [{ removals: 'never', list: [] }, 'rows.removals', /always or/],
      [one({ operations: ['PUT'] }), 'rows.list[0].operations', /create or/],
      [one({ who: [group('starts-with', 'a')] }), 'rows.list[0].who[0].is', /one-of or none-of/],
      [one({ who: [group('one-of')] }), 'rows.list[0].who[0].values', /at least one/],
      [one({ who: [group('one-of', 'a\nb')] }), 'rows.list[0].who[0].values', /line break/],
      [one({ who: [{ about: 'attribute', is: 'one-of', values: ['a'] }] }), 'rows.list[0].who[0].attribute', /Name/],
      [
        one({ who: [{ about: 'attribute', attribute: 'emails[type eq "x"]', is: 'one-of', values: ['a'] }] }),
        'rows.list[0].who[0].attribute',
        /SCIM path/,
      ],
      [one({ when: { from: '9:00', to: '10:00' } }), 'rows.list[0].when.from', /09:00/],
      [one({ when: { from: '09:00' } }), 'rows.list[0].when.to', /ends too/],
      [one({ when: { from: '09:00', to: '09:00:00' } }), 'rows.list[0].when.to', /moment it begins/],
      [one({ when: { since: '2026-02-30' } }), 'rows.list[0].when.since', /2026-12-31/],
      [one({ when: { since: '2026-02-02', until: '2026-02-01' } }), 'rows.list[0].when.until', /before it begins/],
      [one({ when: { days: ['funday'] } }), 'rows.list[0].when.days', /sunday or/],
      [one({ who: [group('one-of', 'a'), group('none-of', 'a', 'b')] }), 'rows.list[0].who[1].values', /contradicts/],
      [
        one({ who: ['SALES', 'HR'].map((value) => ({ about: 'domain', is: 'one-of', values: [value] })) }),
        'rows.list[0].who[1].values',
        /contradicts/,
      ],
      [
        { list: [{ effect: 'withhold' }, { effect: 'let-through', operations: ['create'] }] },
        'rows.list[1]',
        /row 1 applies/,
      ],
      [{ where: { places: ['x'] }, list: [{ effect: 'withhold' }] }, 'rows.where.places', /not known/],
      [{ where: { serviceProviders: [''] }, list: [{ effect: 'withhold' }] }, 'rows.where.serviceProviders', /empty/],
      [{ description: 'a\u0007', list: [{ effect: 'withhold' }] }, 'rows.description', /control character/],
      [
        { where: { identityProviders: ['a'] }, ...one({ where: { identityProviders: ['b'] } }) },
        'rows.list[0].where.identityProviders',
        /the policy is about a alone/,
      ],
      [one({ operations: ['remove'] }), 'rows.list[0].operations', /always let through/],
    ];
    for (const [input, field, why] of refusals) {
      assert.throws(
        () => fillRows(readRows(input), 'x'),
        (error) => error instanceof Problem && error.field === field && why.test(error.message),
        `${JSON.stringify(input)} is not refused for ${field}`,
      );
    }
  });
});

const sample: ProvisioningRequest = {
  subject: 'ada',
  attributes: new Map([['userName', ['ada']]]),
  roles: [],
  serviceProvider: 'resident',
  identityProvider: 'partner',
  connectorType: 'SCIM2',
  operation: 'POST',
  at: Date.UTC(2026, 0, 1),
};
