import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compileRegex } from '../../src/rules/regex/match.ts';
import { apply, ask, designator, evaluate, f2, policy, rule, value } from './xacml-case.ts';

function matches(pattern: string, text: string): boolean {
  const matcher = compileRegex(pattern);
  if (typeof matcher === 'string') throw new Error(`${pattern}: ${matcher}`);
  return matcher.matches(text);
}

describe('XACML 3.0 A.3.13 regular expressions', () => {
  it('match anywhere unless anchored', () => {
    assert.ok(matches('b', 'abc'));
    assert.ok(!matches('^b', 'abc'));
    assert.ok(matches('^a.c$', 'abc'));
    assert.ok(!matches('^.$', 'a\n'));
    assert.ok(matches('^.$', '😀'), 'a character is a code point');
    assert.ok(matches('^$', ''));
  });

  it('know the dialect of XML Schema', () => {
    const rows: [string, string, boolean][] = [
      ['^[a-z-[aeiou]]+$', 'xyz', true],
      ['^[a-z-[aeiou]]+$', 'xaz', false],
      ['^[^a-c]$', 'd', true],
      ['^\\p{Lu}\\p{Nd}{3}$', 'É123', true],
      ['^\\P{L}$', 'a', false],
      ['^\\p{IsCyrillic}+$', 'Пётр', true],
      ['^\\i\\c*$', '_a-1.', true],
      ['^\\i\\c*$', '1a', false],
      ['^\\w+\\s\\d$', 'añb 4', true],
      ['^\\S\\D\\W$', 'ab!', true],
      ['^(a|bc){2,3}$', 'abca', true],
      ['^(a|bc){2,3}$', 'a', false],
      ['^a{3}$', 'aaa', true],
      ['^a{2,}$', 'a', false],
      ['^a+?b*?c??$', 'aab', true],
      ['^\\.\\*\\[\\]\\-\\^\\$\\n$', '.*[]-^$\n', true],
      ['^(?:ab)+$', 'abab', true],
      ['^[+\\-*]$', '-', true],
    ];
    for (const [pattern, text, expected] of rows) assert.equal(matches(pattern, text), expected, pattern);
  });

  it('are refused with a reason when they are none', () => {
    for (const pattern of [
      '(',
      'a)',
      '[a',
      '[]',
      '[z-a]',
      'a**',
      '*a',
      'a{2,1}',
      'a{x}',
      '\\q',
      'a\\',
      '\\1',
      '\\p{Nope}',
      '(?=a)',
      '[a-[b]c]',
      '(x{99}){99}',
      'x{999999}',
    ]) {
      assert.equal(typeof compileRegex(pattern), 'string', pattern);
    }
  });

  it('agree with the engine of the platform on what both understand (property)', () => {
    const pattern = fc.string({ unit: fc.constantFrom(...'ab.*+?|()[^$]-'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom(...'ab.-^'), maxLength: 6 });
    let compared = 0;
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        const ours = compileRegex(source);
        let theirs: RegExp;
        try {
          theirs = new RegExp(source, 'u');
        } catch {
          return;
        }
        if (typeof ours === 'string') return;
        compared++;
        assert.equal(ours.matches(subject), theirs.test(subject), `${source} on ${subject}`);
      }),
      { numRuns: 20_000, seed: 5 },
    );
    assert.ok(compared > 3000, `only ${compared} were compared`);
  });

  it('take time in proportion to the text, whatever the expression', () => {
    const text = `${'a'.repeat(20_000)}!`;
    const started = performance.now();
    for (const pattern of ['^(a*)*$', '^(a+)+$', '^(a|aa)+$', '^(a|a?)+$', '(.*)*b', '^(([a-z])+.)+[A-Z]([a-z])+$']) {
      assert.equal(matches(pattern, text), false, pattern);
    }
    assert.ok(performance.now() - started < 3000);
  });

  it('cost steps: what would take too long is indeterminate', () => {
    const condition = apply(
      'string-regexp-match',
      value('string', '^(a{0,400}){2}$'),
      apply('string-one-and-only', designator('x')),
    );
    const slow = ask(policy(rule('Permit', { condition })), { x: ['a'.repeat(60_000)] });
    assert.equal(slow.decision, 'Indeterminate');
    assert.match(slow.failure!.message, /more steps/);
  });

  it('serve all the types that are matched', () => {
    const test = (
      id: string,
      pattern: string,
      type: 'anyURI' | 'ipAddress' | 'dnsName' | 'rfc822Name' | 'x500Name',
      text: string,
    ) => evaluate(apply(`${f2}${id}-regexp-match`, value('string', pattern), value(type, text)));
    assert.equal(test('anyURI', '^http:', 'anyURI', 'http://a'), 'true');
    assert.equal(test('ipAddress', '^10\\.', 'ipAddress', '10.0.0.1'), 'true');
    assert.equal(test('dnsName', 'com$', 'dnsName', 'a.com'), 'true');
    assert.equal(test('rfc822Name', '^a@', 'rfc822Name', 'a@b'), 'true');
    assert.equal(test('x500Name', 'O=x', 'x500Name', 'CN=a,O=y'), 'false');
    assert.match(
      evaluate(
        apply(
          'string-regexp-match',
          apply(`${f2}string-concatenate`, value('string', '('), value('string', 'a')),
          value('string', 'a'),
        ),
      ),
      /^error: a group is not closed/,
    );
  });
});
