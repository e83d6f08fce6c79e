import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { types } from '../../src/rules/datatypes/table.ts';
import { functionIds } from '../../src/rules/functions/table.ts';
import { apply, designator, evaluate, f2, f3, fn, policy, refuse, rule, type TypeName, value } from './xacml-case.ts';

const i = (n: number | string) => value('integer', String(n));
const d = (n: number | string) => value('double', String(n));
const s = (text: string) => value('string', text);
const t = value('boolean', 'true');
const f = value('boolean', 'false');
const boom = apply('integer-divide', i(1), i(0));
const broken = apply('integer-equal', boom, i(1));
const bag = (type: TypeName, ...texts: string[]) => apply(`${type}-bag`, ...texts.map((text) => value(type, text)));

function table(rows: readonly (readonly [string, string])[]) {
  for (const [expression, expected] of rows) assert.equal(evaluate(expression), expected, expression);
}

describe('XACML 3.0 A.3.1 equality', () => {
  it('compares values, not texts', () => {
    const equal = (type: TypeName, a: string, b: string, prefix = '') =>
      evaluate(apply(`${prefix}${type}-equal`, value(type, a), value(type, b)));
    assert.equal(equal('string', 'a', 'A'), 'false');
    assert.equal(equal('integer', '007', '7'), 'true');
    assert.equal(equal('integer', '123456789012345678901', '123456789012345678902'), 'false');
    assert.equal(equal('double', '1e2', '100.0'), 'true');
    assert.equal(equal('double', 'NaN', 'NaN'), 'true');
    assert.equal(equal('boolean', '1', 'true'), 'true');
    assert.equal(equal('hexBinary', '0aff', '0AFF'), 'true');
    assert.equal(equal('base64Binary', 'YW Jj', 'YWJj'), 'true');
    assert.equal(equal('anyURI', ' http://a/B ', 'http://a/B'), 'true');
    assert.equal(equal('anyURI', 'http://a/B', 'http://a/b'), 'false');
    assert.equal(equal('rfc822Name', 'Ann@EXAMPLE.com', 'Ann@example.com'), 'true');
    assert.equal(equal('rfc822Name', 'ann@example.com', 'Ann@example.com'), 'false');
    assert.equal(equal('x500Name', 'CN=Ann  Lee, O="A, B",C=us', 'cn=ann lee,2.5.4.10=A\\, B,c=US'), 'true');
    assert.equal(equal('x500Name', 'CN=a+OU=b,C=us', 'ou=B+cn=A,c=us'), 'true');
    assert.equal(equal('x500Name', 'CN=a,OU=b', 'OU=b,CN=a'), 'false');
    assert.equal(equal('time', '12:00:00Z', '14:00:00+02:00'), 'true');
    assert.equal(equal('dateTime', '2024-01-01T24:00:00Z', '2024-01-02T00:00:00Z'), 'true');
    assert.equal(equal('date', '2024-01-01', '2024-01-01+02:00'), 'true', 'without a zone: the zone of the evaluation');
    assert.equal(equal('date', '2024-01-01', '2024-01-01Z'), 'false');
    assert.equal(equal('dayTimeDuration', 'P1D', 'PT24H', f3), 'true');
    assert.equal(equal('yearMonthDuration', 'P1Y', 'P12M', f3), 'true');
    assert.equal(evaluate(apply(`${f3}string-equal-ignore-case`, s('ÄB'), s('äb'))), 'true');
  });
});

describe('XACML 3.0 A.3.2 arithmetic', () => {
  it('is exact for integers and IEEE 754 for doubles', () => {
    table([
      [apply('integer-add', i('99999999999999999999'), i(1), i(1)), '100000000000000000001'],
      [apply('integer-subtract', i(1), i(3)), '-2'],
      [apply('integer-multiply', i(-3), i(4), i(2)), '-24'],
      [apply('integer-divide', i(-7), i(2)), '-3'],
      [apply('integer-mod', i(-7), i(2)), '-1'],
      [apply('integer-abs', i(-7)), '7'],
      [boom, 'error: division by zero'],
      [apply('integer-mod', i(7), i(0)), 'error: division by zero'],
      [apply('double-add', d(1.5), d(2), d(0.25)), '3.75'],
      [apply('double-subtract', d(1.5), d(2)), '-0.5'],
      [apply('double-multiply', d(1.5), d(2)), '3'],
      [apply('double-divide', d(1), d(4)), '0.25'],
      [apply('double-divide', d(1), d(0)), 'error: division by zero'],
      [apply('double-abs', d(-1.5)), '1.5'],
      [apply('round', d(2.5)), '2'],
      [apply('round', d(3.5)), '4'],
      [apply('round', d(-1.7)), '-2'],
      [apply('floor', d(-1.2)), '-2'],
      [apply('double-to-integer', d(-1.9)), '-1'],
      [apply('double-to-integer', d('INF')), 'error: Infinity is no integer'],
      [apply('integer-to-double', i(3)), '3'],
      [apply('double-multiply', d('1e300'), d('1e300')), 'INF'],
    ]);
  });
});

describe('XACML 3.0 A.3.3, A.3.4, A.3.9 strings', () => {
  it('normalises, builds, searches and cuts', () => {
    table([
      [apply('string-normalize-space', s(' \t a  b \n')), 'a  b'],
      [apply('string-normalize-to-lower-case', s('ÀB')), 'àb'],
      [apply(`${f2}string-concatenate`, s('a'), s('b'), s('')), 'ab'],
      [apply(`${f2}uri-string-concatenate`, value('anyURI', 'http://a/'), s('b')), 'http://a/b'],
      [apply(`${f3}string-starts-with`, s('ab'), s('abc')), 'true'],
      [apply(`${f3}string-ends-with`, s('bc'), s('abc')), 'true'],
      [apply(`${f3}string-contains`, s('abc'), s('b')), 'false'],
      [apply(`${f3}anyURI-starts-with`, s('http:'), value('anyURI', 'http://a')), 'true'],
      [apply(`${f3}anyURI-ends-with`, s('b'), value('anyURI', 'http://a')), 'false'],
      [apply(`${f3}anyURI-contains`, s('//'), value('anyURI', 'http://a')), 'true'],
      [apply(`${f3}string-substring`, s('a😀bc'), i(1), i(3)), '😀b'],
      [apply(`${f3}string-substring`, s('abc'), i(1), i(-1)), 'bc'],
      [apply(`${f3}anyURI-substring`, value('anyURI', 'http://a'), i(0), i(4)), 'http'],
    ]);
    assert.match(evaluate(apply(`${f3}string-substring`, s('abc'), i(2), i(9))), /^error: there is no substring/);
  });

  it('refuses bounds that can never be right', () => {
    for (const [from, to] of [
      [-2, 8],
      [3, 2],
      [0, -2],
    ] as const) {
      const faults = refuse(
        policy(
          rule('Permit', {
            condition: apply(
              `${f3}string-contains`,
              apply(`${f3}string-substring`, s('abcdef'), i(from), i(to)),
              s('a'),
            ),
          }),
        ),
      );
      assert.match(faults[0]!.reason, /substring (begins|ends) before/);
    }
  });

  it('converts from and to strings', () => {
    const samples: Partial<Record<TypeName, [string, string]>> = {
      boolean: ['1', 'true'],
      integer: ['+07', '7'],
      double: ['1e2', '100'],
      time: ['24:00:00Z', '00:00:00Z'],
      date: ['2024-02-29+01:00', '2024-02-29+01:00'],
      dateTime: ['2024-01-01T10:00:00.500Z', '2024-01-01T10:00:00.5Z'],
      anyURI: ['urn:a', 'urn:a'],
      dayTimeDuration: ['PT90M', 'PT1H30M'],
      yearMonthDuration: ['P14M', 'P1Y2M'],
      x500Name: ['CN=a', 'CN=a'],
      rfc822Name: ['a@b', 'a@b'],
      ipAddress: ['10.0.0.1/255.0.0.0:80', '10.0.0.1/255.0.0.0:80'],
      dnsName: ['Example.com:80-', 'example.com:80-'],
    };
    for (const [type, [from, to]] of Object.entries(samples)) {
      assert.equal(evaluate(apply(`${f3}string-from-${type}`, apply(`${f3}${type}-from-string`, s(from)))), to, type);
      assert.match(evaluate(apply(`${f3}${type}-from-string`, s('? !'))), /^error: "\? !" is no /, type);
    }
  });
});

describe('XACML 3.0 A.3.5 logic', () => {
  it('decides as early as it can; a failing argument counts only when the others do not decide', () => {
    table([
      [apply('or'), 'false'],
      [apply('and'), 'true'],
      [apply('or', f, t), 'true'],
      [apply('and', t, f), 'false'],
      [apply('or', broken, t), 'true'],
      [apply('and', broken, f), 'false'],
      [apply('or', broken, f), 'error: division by zero'],
      [apply('and', broken, t), 'error: division by zero'],
      [apply('n-of', i(0)), 'true'],
      [apply('n-of', i(2), t, f, t), 'true'],
      [apply('n-of', i(2), t, f, f), 'false'],
      [apply('n-of', i(1), broken, t), 'true'],
      [apply('n-of', i(2), broken, f), 'false'],
      [apply('n-of', i(1), broken, f), 'error: division by zero'],
      [apply('n-of', i(3), t, t), 'error: n-of asks for 3 of 2 arguments'],
      [apply('not', f), 'true'],
    ]);
  });
});

describe('XACML 3.0 A.3.6, A.3.8 order', () => {
  it('orders numbers, strings by code point, and times by moment', () => {
    table([
      [apply('integer-less-than', i('9'), i('10')), 'true'],
      [apply('double-greater-than-or-equal', d(2), d('2.0')), 'true'],
      [apply('double-less-than', d('NaN'), d(1)), 'false'],
      [apply('string-greater-than', s('😀'), s('\uffee')), 'true'],
      [apply('string-less-than-or-equal', s('a'), s('ab')), 'true'],
      [apply('time-greater-than', value('time', '10:00:00Z'), value('time', '11:00:00+02:00')), 'true'],
      [apply('date-less-than', value('date', '2023-12-31'), value('date', '2024-01-01')), 'true'],
      [
        apply(
          'dateTime-less-than-or-equal',
          value('dateTime', '2024-01-01T00:00:00Z'),
          value('dateTime', '2024-01-01T00:00:00.001Z'),
        ),
        'true',
      ],
    ]);
  });

  it('knows ranges of time, also over midnight and without a zone', () => {
    const inRange = (a: string, from: string, to: string) =>
      evaluate(apply(`${f2}time-in-range`, value('time', a), value('time', from), value('time', to)));
    assert.equal(inRange('09:00:00', '09:00:00', '17:00:00'), 'true');
    assert.equal(inRange('17:00:00', '09:00:00', '17:00:00'), 'true');
    assert.equal(inRange('17:00:01', '09:00:00', '17:00:00'), 'false');
    assert.equal(inRange('23:00:00', '22:00:00', '06:00:00'), 'true');
    assert.equal(inRange('06:30:00', '22:00:00', '06:00:00'), 'false');
    assert.equal(inRange('12:00:00Z', '09:00:00', '13:00:00'), 'true', 'bounds take the zone of the first argument');
    assert.equal(inRange('12:00:00Z', '09:00:00+02:00', '13:00:00+02:00'), 'false');
    assert.equal(inRange('00:00:00.5', '00:00:00', '00:00:00.4'), 'false');
  });
});

describe('XACML 3.0 A.3.7 dates', () => {
  it('adds durations as XML Schema does', () => {
    const dateTime = (text: string) => value('dateTime', text);
    const months = (text: string) => value('yearMonthDuration', text);
    const nanos = (text: string) => value('dayTimeDuration', text);
    table([
      [
        apply(`${f3}dateTime-add-yearMonthDuration`, dateTime('2024-01-31T10:00:00Z'), months('P1M')),
        '2024-02-29T10:00:00Z',
      ],
      [
        apply(`${f3}dateTime-subtract-yearMonthDuration`, dateTime('2024-03-31T10:00:00'), months('P1Y1M')),
        '2023-02-28T10:00:00',
      ],
      [
        apply(`${f3}dateTime-add-dayTimeDuration`, dateTime('2024-02-28T23:59:59.5Z'), nanos('PT0.5S')),
        '2024-02-29T00:00:00Z',
      ],
      [
        apply(`${f3}dateTime-subtract-dayTimeDuration`, dateTime('2024-01-01T00:00:00+01:00'), nanos('P1DT1H')),
        '2023-12-30T23:00:00+01:00',
      ],
      [apply(`${f3}date-add-yearMonthDuration`, value('date', '2024-02-29'), months('P1Y')), '2025-02-28'],
      [apply(`${f3}date-subtract-yearMonthDuration`, value('date', '0001-01-15'), months('P1M')), '-0001-12-15'],
    ]);
    assert.match(
      evaluate(apply(`${f3}date-add-yearMonthDuration`, value('date', '999999999-01-01'), months('P1Y'))),
      /beyond the calendar/,
    );
  });
});

describe('XACML 3.0 A.3.10, A.3.11 bags and sets', () => {
  it('counts, picks and compares', () => {
    table([
      [apply('string-one-and-only', bag('string', 'a')), 'a'],
      [apply('string-one-and-only', bag('string')), 'error: string-one-and-only was given no value'],
      [apply('string-one-and-only', bag('string', 'a', 'a')), 'error: string-one-and-only was given 2 values'],
      [apply('integer-bag-size', bag('integer', '1', '1')), '2'],
      [apply('time-is-in', value('time', '12:00:00Z'), bag('time', '14:00:00+02:00')), 'true'],
      [apply('integer-is-in', i(3), bag('integer', '1', '2')), 'false'],
      [apply('string-intersection', bag('string', 'a', 'b', 'b', 'c'), bag('string', 'b', 'c', 'd')), 'b | c'],
      [apply('string-union', bag('string', 'a', 'b'), bag('string', 'b', 'c'), bag('string', 'a')), 'a | b | c'],
      [apply('string-at-least-one-member-of', bag('string', 'x', 'b'), bag('string', 'b')), 'true'],
      [apply('string-at-least-one-member-of', bag('string'), bag('string', 'b')), 'false'],
      [apply('string-subset', bag('string', 'a', 'a'), bag('string', 'a', 'b')), 'true'],
      [apply('string-subset', bag('string', 'c'), bag('string', 'a', 'b')), 'false'],
      [apply('string-set-equals', bag('string', 'a', 'b', 'a'), bag('string', 'b', 'a')), 'true'],
      [apply('hexBinary-set-equals', bag('hexBinary', 'ab'), bag('hexBinary', 'AB')), 'true'],
    ]);
  });

  it('has every bag and set function for every type that has an equality', () => {
    const known = new Set(functionIds());
    const suffixes = [
      'one-and-only',
      'bag-size',
      'is-in',
      'bag',
      'intersection',
      'at-least-one-member-of',
      'union',
      'subset',
      'set-equals',
    ];
    for (const type of Object.values(types)) {
      if (['ipAddress', 'dnsName', 'xpathExpression'].includes(type.name)) continue;
      const prefix = type.name.endsWith('Duration') ? f3 : 'urn:oasis:names:tc:xacml:1.0:function:';
      for (const suffix of [...suffixes, 'equal'])
        assert.ok(known.has(`${prefix}${type.name}-${suffix}`), `${type.name}-${suffix}`);
    }
    for (const name of ['ipAddress', 'dnsName'])
      for (const suffix of ['one-and-only', 'bag-size', 'bag']) assert.ok(known.has(`${f2}${name}-${suffix}`));
  });
});

describe('XACML 3.0 A.3.12 higher-order functions', () => {
  const numbers = bag('integer', '1', '5', '9');
  it('apply a function to the values of bags', () => {
    table([
      [apply(`${f3}any-of`, fn('integer-greater-than'), i(6), numbers), 'true'],
      [apply(`${f3}any-of`, fn('integer-greater-than'), numbers, i(9)), 'false'],
      [apply('all-of', fn('integer-less-than'), i(0), numbers), 'true'],
      [apply('all-of', fn('integer-less-than'), i(0), bag('integer')), 'true'],
      [apply(`${f3}any-of`, fn('integer-less-than'), i(0), bag('integer')), 'false'],
      [apply(`${f3}any-of-any`, fn('integer-equal'), numbers, bag('integer', '2', '9')), 'true'],
      [apply(`${f3}any-of-any`, fn('integer-equal'), numbers, i(2)), 'false'],
      [apply('all-of-any', fn('integer-greater-than'), bag('integer', '10', '20'), bag('integer', '1', '19')), 'true'],
      [apply('all-of-any', fn('integer-greater-than'), bag('integer', '1', '20'), bag('integer', '3', '19')), 'false'],
      [apply('any-of-all', fn('integer-greater-than'), bag('integer', '3', '5'), bag('integer', '1', '4')), 'true'],
      [apply('any-of-all', fn('integer-greater-than'), bag('integer', '3', '4'), bag('integer', '1', '4')), 'false'],
      [apply('all-of-all', fn('integer-greater-than'), bag('integer', '6', '5'), bag('integer', '1', '4')), 'true'],
      [apply('all-of-all', fn('integer-greater-than'), bag('integer', '6', '4'), bag('integer', '1', '4')), 'false'],
      [apply(`${f3}map`, fn('string-normalize-to-lower-case'), bag('string', 'A', 'B')), 'a | b'],
      [apply(`${f3}map`, fn('integer-subtract'), i(10), numbers), '9 | 5 | 1'],
      [apply(`${f3}map`, fn('integer-divide'), i(10), bag('integer', '1', '0')), 'error: division by zero'],
      [apply(`${f3}any-of`, fn('and'), t, bag('boolean', 'false', 'true')), 'true'],
    ]);
  });

  it('are refused where types or numbers of bags do not fit', () => {
    const wrong = (expression: string) => refuse(policy(rule('Permit', { condition: expression })))[0]!.reason;
    assert.match(wrong(apply(`${f3}any-of`, fn('string-equal'), s('a'), numbers)), /cannot apply its function/);
    assert.match(wrong(apply(`${f3}any-of`, fn('integer-equal'), numbers, numbers)), /exactly one bag/);
    assert.match(wrong(apply(`${f3}any-of`, fn('integer-add'), i(1), numbers)), /one boolean/);
    assert.match(wrong(apply(`${f3}any-of`, i(1), numbers)), /needs a <Function>/);
    assert.match(wrong(apply(`${f3}any-of`, fn('any-of'), numbers)), /cannot be passed/);
    assert.match(wrong(apply('integer-equal', fn('integer-add'), i(1))), /only as the first argument/);
  });
});

describe('XACML 3.0 A.3.14 special matches', () => {
  it('match names by their ends', () => {
    const x500 = (a: string, b: string) =>
      evaluate(apply('x500Name-match', value('x500Name', a), value('x500Name', b)));
    assert.equal(x500('O=Medico Corp,C=US', 'cn=Julius Hibbert,o=Medico  Corp, c=us'), 'true');
    assert.equal(x500('CN=Julius Hibbert', 'cn=Julius Hibbert,c=us'), 'false');
    const mail = (pattern: string, name: string) =>
      evaluate(apply('rfc822Name-match', s(pattern), value('rfc822Name', name)));
    assert.equal(mail('Anderson@sun.com', 'Anderson@SUN.COM'), 'true');
    assert.equal(mail('Anderson@sun.com', 'anderson@sun.com'), 'false');
    assert.equal(mail('sun.com', 'a@SUN.com'), 'true');
    assert.equal(mail('sun.com', 'a@east.sun.com'), 'false');
    assert.equal(mail('.east.sun.com', 'a@isrg.EAST.sun.com'), 'true');
    assert.equal(mail('.east.sun.com', 'a@east.sun.com'), 'false');
  });
});

describe('XACML 3.0 A.2 types are checked before anything is evaluated', () => {
  it('refuses a policy whose types cannot fit, at its line', () => {
    const wrong = (expression: string) => refuse(policy(['\n', rule('Permit', { condition: `\n${expression}` })]))[0]!;
    assert.equal(
      wrong(apply('string-equal', s('a'), i(1))).reason,
      'string-equal takes one string as argument 2, not one integer',
    );
    for (const [expression, reason] of [
      [apply('string-equal', s('a')), /takes 2 arguments, not 1/],
      [apply('string-equal', s('a'), designator('x')), /not a bag of string/],
      [apply('integer-add', i(1)), /takes at least 2 arguments/],
      [apply('no-such'), /function .*no-such is not known/],
      [s('a'), /<Condition> must yield one boolean/],
      [value('boolean', 'maybe'), /"maybe" is no boolean/],
      [apply('integer-equal', i('1.5'), i(1)), /"1.5" is no integer/],
      ['<AttributeValue DataType="urn:mine">a</AttributeValue>', /data type urn:mine is not known/],
      ['<VariableReference VariableId="v"/>', /variable v is not defined/],
      [apply('string-regexp-match', s('(a'), s('a')), /regular expression it cannot use/],
    ] as const) {
      const { line, reason: found } = wrong(expression);
      assert.match(found, reason, expression);
      assert.equal(line, 3);
    }
  });
});
