import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { types } from '../../src/rules/datatypes/table.ts';
import { parseDate, printDate } from '../../src/rules/datatypes/temporal.ts';
import type { TypeName } from './xacml-case.ts';

describe('XACML 3.0 A.2 data types', () => {
  it('accept what XML Schema accepts and print it canonically', () => {
    const rows: [TypeName, string, string][] = [
      ['boolean', ' true\n', 'true'],
      ['integer', ' -0012 ', '-12'],
      ['double', '-.5E1', '-5'],
      ['double', '1e21', '1E21'],
      ['double', '-INF', '-INF'],
      ['time', '09:05:00.120-05:30', '09:05:00.12-05:30'],
      ['date', '-0044-03-15', '-0044-03-15'],
      ['date', '12024-03-15Z', '12024-03-15Z'],
      ['dateTime', '1999-12-31T24:00:00', '2000-01-01T00:00:00'],
      ['dayTimeDuration', '-P1DT25H0.25S', '-P2DT1H0.25S'],
      ['dayTimeDuration', 'PT0S', 'PT0S'],
      ['yearMonthDuration', '-P13M', '-P1Y1M'],
      ['hexBinary', 'aF', 'AF'],
      ['base64Binary', ' YQ = = ', 'YQ=='],
      ['rfc822Name', 'a.b@C.d', 'a.b@C.d'],
      ['x500Name', ' CN=a ', 'CN=a'],
      ['ipAddress', '[2001:DB8::1]:80-90', '[2001:db8::1]:80-90'],
      ['dnsName', '*.Example.com', '*.example.com'],
    ];
    for (const [type, text, printed] of rows) {
      const value = types[type].parse(text);
      assert.notEqual(value, undefined, `${type} ${text}`);
      assert.equal(types[type].print(value), printed, `${type} ${text}`);
    }
  });

  it('refuse what it does not', () => {
    const rows: Partial<Record<TypeName, string[]>> = {
      boolean: ['TRUE', 'yes', ''],
      integer: ['1.0', '1e3', '', '0x10', '- 1', '9'.repeat(1001)],
      double: ['inf', '1,5', '', '.', 'e5', '+INF', '0x1'],
      time: ['9:00:00', '24:00:01', '10:60:00', '10:00', '10:00:00+15:00', '10:00:00z'],
      date: ['2024-02-30', '1900-02-29', '0000-01-01', '2024-13-01', '24-01-01', '2024-1-1'],
      dateTime: ['2024-01-01', '2024-01-01 10:00:00', '2024-01-01T10:00:00+14:30'],
      dayTimeDuration: ['P', 'PT', 'P1Y', '1D', 'P1DT', 'P1.5D'],
      yearMonthDuration: ['P', 'P1D', 'P1M1Y'],
      hexBinary: ['abc', 'zz'],
      base64Binary: ['YQ', 'YQ=', 'YR==', '****'],
      rfc822Name: ['a', '@b', 'a@', 'a b@c'],
      x500Name: ['a', 'CN', '=a', 'CN="a'],
      anyURI: ['a b'],
      ipAddress: ['1.2.3', '1.2.3.256', '::1', '1.2.3.4:99999'],
      dnsName: ['-a', 'a..b', 'a:b'],
    };
    for (const [type, texts] of Object.entries(rows)) {
      for (const text of texts) assert.equal(types[type as TypeName].parse(text), undefined, `${type} "${text}"`);
    }
  });

  it('count days as the calendar does (property, against Date)', () => {
    fc.assert(
      fc.property(fc.integer({ min: -719_000, max: 2_900_000 }), (days) => {
        const text = printDate({ days, seconds: 0, nanos: 0, zone: undefined });
        assert.equal(text, new Date(days * 86_400_000).toISOString().slice(0, 10));
        assert.equal(parseDate(text)?.days, days);
      }),
      { numRuns: 2000, seed: 3 },
    );
  });

  it('read back what they print, equal to what it was (property)', () => {
    const words = fc.string({ unit: fc.constantFrom(...'0123456789-+:.TPZDHMSYeE@,=C \\"aF[]/'), maxLength: 25 });
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(types)), words, (type, text) => {
        const value = type.parse(text);
        if (value === undefined) return;
        const again = type.parse(type.print(value));
        assert.notEqual(again, undefined, `${type.name} "${text}" -> "${type.print(value)}"`);
        assert.equal(type.key(again, 60), type.key(value, 60));
      }),
      { numRuns: 20_000, seed: 4 },
    );
  });
});
