import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Problem } from '../../src/base/problem.ts';
import {
  type AttrPath,
  type CompareOp,
  type Filter,
  formatFilter,
  formatPath,
  parseFilter,
  parsePath,
} from '../../src/protocol/scim/filter.ts';

const at = (attr: string, sub?: string): AttrPath => (sub === undefined ? { attr } : { attr, sub });
const is = (path: AttrPath, op: CompareOp, value: string | number | boolean | null): Filter => ({ op, path, value });
const pr = (path: AttrPath): Filter => ({ op: 'pr', path });
const and = (...parts: Filter[]): Filter => ({ op: 'and', parts });
const or = (...parts: Filter[]): Filter => ({ op: 'or', parts });
const not = (part: Filter): Filter => ({ op: 'not', part });
const has = (attr: string, part: Filter): Filter => ({ op: 'has', path: at(attr), part });

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const core = 'urn:ietf:params:scim:schemas:core:2.0:User';
const employee = is(at('userType'), 'eq', 'Employee');
const twoDomains = or(is(at('emails'), 'co', 'example.com'), is(at('emails', 'value'), 'co', 'example.org'));
const workMail = has('emails', and(is(at('type'), 'eq', 'work'), is(at('value'), 'co', '@example.com')));

/** Every example of figure 2, line breaks included. */
const figure2: [string, Filter][] = [
  ['userName eq "bjensen"', is(at('userName'), 'eq', 'bjensen')],
  [`name.familyName co "O'Malley"`, is(at('name', 'familyName'), 'co', "O'Malley")],
  ['userName sw "J"', is(at('userName'), 'sw', 'J')],
  [`${core}:userName sw "J"`, is({ urn: core, attr: 'userName' }, 'sw', 'J')],
  ['title pr', pr(at('title'))],
  ...(['gt', 'ge', 'lt', 'le'] as const).map((op): [string, Filter] => [
    `meta.lastModified ${op} "2011-05-13T04:42:34Z"`,
    is(at('meta', 'lastModified'), op, '2011-05-13T04:42:34Z'),
  ]),
  ['title pr and userType eq "Employee"', and(pr(at('title')), employee)],
  ['title pr or userType eq "Intern"', or(pr(at('title')), is(at('userType'), 'eq', 'Intern'))],
  [`\n schemas eq "${enterprise}"`, is(at('schemas'), 'eq', enterprise)],
  [
    'userType eq "Employee" and (emails co "example.com" or\n  emails.value co "example.org")',
    and(employee, twoDomains),
  ],
  [
    'userType ne "Employee" and not (emails co "example.com" or\n  emails.value co "example.org")',
    and(is(at('userType'), 'ne', 'Employee'), not(twoDomains)),
  ],
  ['userType eq "Employee" and (emails.type eq "work")', and(employee, is(at('emails', 'type'), 'eq', 'work'))],
  ['userType eq "Employee" and emails[type eq "work" and\n  value co "@example.com"]', and(employee, workMail)],
  [
    'emails[type eq "work" and value co "@example.com"] or\n  ims[type eq "xmpp" and value co "@foo.com"]',
    or(workMail, has('ims', and(is(at('type'), 'eq', 'xmpp'), is(at('value'), 'co', '@foo.com')))),
  ],
];

const a = pr(at('a'));
const b = pr(at('b'));
const c = pr(at('c'));
const grammar: [string, Filter][] = [
  ['a pr or b pr and c pr', or(a, and(b, c))],
  ['a pr and b pr or c pr', or(and(a, b), c)],
  ['(a pr or b pr) and c pr', and(or(a, b), c)],
  ['not (a pr) and b pr', and(not(a), b)],
  ['not(a pr or b pr)', not(or(a, b))],
  ['a pr and not (b pr) or c pr', or(and(a, not(b)), c)],
  ['a pr and b pr and c pr', and(a, b, c)],
  ['a pr and (b pr and c pr)', and(a, and(b, c))],
  ['((a pr))', a],
  ['not (not (a pr))', not(not(a))],
  ['a PR AND b Pr oR c pR', or(and(a, b), c)],
  ['userName Eq "john"', is(at('userName'), 'eq', 'john')],
  ['not eq "x"', is(at('not'), 'eq', 'x')],
  ['or pr or and pr', or(pr(at('or')), pr(at('and')))],
  ['notes pr', pr(at('notes'))],
  ['active eq true', is(at('active'), 'eq', true)],
  ['active eq false', is(at('active'), 'eq', false)],
  ['title eq null', is(at('title'), 'eq', null)],
  ['n eq -12.5e2', is(at('n'), 'eq', -1250)],
  ['n eq 0', is(at('n'), 'eq', 0)],
  ['a eq "q\\"\\\\\\u00e9\\n"', is(at('a'), 'eq', 'q"\\é\n')],
  ['a eq "日本 😀 )]"', is(at('a'), 'eq', '日本 😀 )]')],
  ['a eq ""', is(at('a'), 'eq', '')],
  ['members.$ref eq "x"', is(at('members', '$ref'), 'eq', 'x')],
  ['a-b_1 pr', pr(at('a-b_1'))],
  [`${enterprise}:manager.value eq "1"`, is({ urn: enterprise, attr: 'manager', sub: 'value' }, 'eq', '1')],
  ['urn:example:x:1.0:emails[a pr]', { op: 'has', path: { urn: 'urn:example:x:1.0', attr: 'emails' }, part: a }],
  ['emails[not (type eq "work")]', has('emails', not(is(at('type'), 'eq', 'work')))],
  ['(emails[a pr] or b pr) and c pr', and(or(has('emails', a), b), c)],
];

/** Filter, position (from 1) and a word of what was expected. */
const faults: [string, number, RegExp][] = [
  ['', 1, /name of an attribute/],
  ['   ', 4, /name of an attribute/],
  ['userName', 9, /operators/],
  ['userName regex "x"', 10, /operators/],
  ['userName eq', 12, /a value/],
  ['userName eq bjensen', 13, /a value/],
  ["userName eq 'x'", 13, /a value/],
  ['userName eq "x', 15, /closing quotation mark/],
  ['userName eq "x\\', 16, /closing quotation mark/],
  ['userName eq "\\q"', 13, /JSON string/],
  ['userName eq "a\nb"', 15, /control character/],
  ['userName eq "\\u0000"', 13, /U\+0000/],
  ['userName eq "\\ud800"', 13, /surrogate/],
  ['n eq 01', 6, /JSON number/],
  ['n eq 1.', 6, /JSON number/],
  ['n eq 1e999', 6, /JSON number/],
  ['a eq truely', 6, /a value/],
  ['a eq "x"and b pr', 9, /space/],
  ['title pr title pr', 10, /'and', 'or' or the end/],
  ['title pr and', 13, /name of an attribute/],
  ['title pr or or', 15, /operators/],
  ['(title pr', 10, /'\)'/],
  ['title pr)', 9, /the end of the filter/],
  ['emails[type eq "work"', 22, /'\]'/],
  ['emails[]', 8, /name of an attribute/],
  ['emails[ims[a pr]]', 11, /value path may not stand inside/],
  ['not title pr', 5, /operators/],
  ['1a pr', 1, /name of an attribute/],
  ['a..b pr', 3, /sub-attribute/],
  ['name. pr', 6, /sub-attribute/],
  ['a.b.c pr', 4, /end of the attribute name/],
  ['urn:x: pr', 7, /after the URN/],
  [`${'('.repeat(41)}a pr${')'.repeat(41)}`, 41, /at most 40 levels/],
];

function problemOf(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Problem, `not a Problem: ${error}`);
    return error;
  }
  return assert.fail('nothing was refused');
}

describe('RFC 7644 3.4.2.2: filters', () => {
  for (const [text, filter] of [...figure2, ...grammar]) {
    it(`reads ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseFilter(text), filter);
      assert.deepEqual(parseFilter(formatFilter(filter)), filter);
    });
  }

  for (const [text, position, expected] of faults) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))} at position ${position}`, () => {
      const problem = problemOf(() => parseFilter(text));
      assert.equal(problem.code, 'invalidFilter');
      assert.equal(problem.scimType, 'invalidFilter');
      assert.match(problem.message, expected);
      assert.match(problem.message, new RegExp(`position ${position}:`));
    });
  }

  it('bounds the length and lets 40 levels through', () => {
    assert.deepEqual(parseFilter(`${'('.repeat(40)}a pr${')'.repeat(40)}`), a);
    const long = `a eq "${'x'.repeat(8192)}"`;
    assert.match(problemOf(() => parseFilter(long)).message, /at most 8192/);
    assert.equal(problemOf(() => parseFilter(`${'not ('.repeat(1000)}a pr${')'.repeat(1000)}`)).code, 'invalidFilter');
  });

  const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,8}$/);
  const urn = fc.constantFrom(core, enterprise, 'urn:example:acme:1.0:Badge');
  const path = fc
    .record({ urn: fc.option(urn, { nil: undefined }), attr: name, sub: fc.option(name, { nil: undefined }) })
    .map(({ urn, attr, sub }): AttrPath => ({ ...(urn && { urn }), attr, ...(sub && { sub }) }));
  const value = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !text.includes('\0')),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
    fc.boolean(),
    fc.constant(null),
  );
  const plain = { noNullPrototype: true };
  const op = fc.constantFrom<CompareOp>('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le');
  const leaf: fc.Arbitrary<Filter> = fc.oneof(
    fc.record({ op, path, value }, plain),
    path.map((path): Filter => ({ op: 'pr', path })),
  );
  const tree = (inner: fc.Arbitrary<Filter>, depth: number): fc.Arbitrary<Filter> =>
    depth === 0
      ? inner
      : fc.oneof(
          inner,
          fc.record(
            {
              op: fc.constantFrom('and' as const, 'or' as const),
              parts: fc.array(tree(inner, depth - 1), { minLength: 2, maxLength: 3 }),
            },
            plain,
          ),
          tree(inner, depth - 1).map((part): Filter => ({ op: 'not', part })),
        );
  const valuePath = fc.record({ op: fc.constant('has' as const), path, part: tree(leaf, 2) }, plain);
  const filter = tree(fc.oneof(leaf, valuePath), 3);

  it('reads back every filter it writes', () => {
    fc.assert(
      fc.property(filter, (f) => {
        const text = formatFilter(f);
        if (text.length <= 8192) assert.deepEqual(parseFilter(text), f);
      }),
      { numRuns: 500 },
    );
  });

  it('throws nothing but invalidFilter, whatever the text', () => {
    const pieces = fc.constantFrom(
      'a',
      'eq',
      'pr',
      'and',
      'not',
      '(',
      ')',
      '[',
      ']',
      '"',
      '"x"',
      '\\',
      '.',
      ':',
      ' ',
      '1',
      '-',
      'urn:a:b',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 12 }).map((list) => list.join('')),
      fc.array(pieces).map((list) => list.join(' ')),
    );
    fc.assert(
      fc.property(text, (t) => {
        try {
          assert.deepEqual(parseFilter(formatFilter(parseFilter(t))), parseFilter(t));
        } catch (error) {
          if (!(error instanceof Problem) || error.code !== 'invalidFilter') throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('RFC 7644 3.5.2 figure 7: PATCH paths', () => {
  const id = '2819c223-7f76-453a-919d-413861904646';
  const paths = [
    ['members', { attr: 'members' }],
    ['name.familyName', { attr: 'name', sub: 'familyName' }],
    ['addresses[type eq "work"]', { attr: 'addresses', filter: is(at('type'), 'eq', 'work') }],
    [`members[value eq\n "${id}"]`, { attr: 'members', filter: is(at('value'), 'eq', id) }],
    [
      `members[value eq "${id}"].displayName`,
      { attr: 'members', filter: is(at('value'), 'eq', id), sub: 'displayName' },
    ],
    [`${enterprise}:manager.value`, { urn: enterprise, attr: 'manager', sub: 'value' }],
  ] as const;
  for (const [text, path] of paths) {
    it(`reads ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parsePath(text), path);
      assert.deepEqual(parsePath(formatPath(path)), path);
    });
  }

  const wrong: [string, Problem['code'], number][] = [
    ['', 'invalidPath', 1],
    ['members[value eq "x"]x', 'invalidPath', 22],
    ['members[value eq "x"].', 'invalidPath', 23],
    ['emails.value[a pr]', 'invalidPath', 13],
    ['emails[value zz "x"]', 'invalidFilter', 14],
    ['emails[value eq "x"', 'invalidFilter', 20],
    ['a b', 'invalidPath', 3],
  ];
  for (const [text, code, position] of wrong) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const problem = problemOf(() => parsePath(text));
      assert.equal(problem.code, code);
      assert.match(problem.message, new RegExp(`position ${position}:`));
    });
  }
});
