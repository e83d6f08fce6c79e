import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findFunction, functionIds } from '../../src/rules/functions/table.ts';
import { acceptPolicies, readPolicy } from '../../src/rules/in-force.ts';
import { readRequest } from '../../src/rules/read-request.ts';
import { writeResponse } from '../../src/rules/write-response.ts';
import {
  type Attributes,
  accept,
  anyOf,
  apply,
  ask,
  askXml,
  designator,
  document,
  f2,
  f3,
  fn,
  match,
  policy,
  policySet,
  refuse,
  requestXml,
  rule,
  ruleAlgorithm,
  type TypeName,
  target,
  value,
} from './xacml-case.ts';

/** Runs `work` and fails when it takes far longer than the bounds allow. */
function quickly<T>(work: () => T, milliseconds = 3000): T {
  const started = performance.now();
  const result = work();
  const took = performance.now() - started;
  assert.ok(took < milliseconds, `took ${Math.round(took)} ms`);
  return result;
}

describe('a hostile policy document', () => {
  it('is refused, and what was in force stays another value', () => {
    const inForce = accept(policy(rule('Permit')));
    const bomb = `<!DOCTYPE Policy [<!ENTITY a "${'x'.repeat(1000)}">]>${policy(rule('Deny'))}`;
    const deep = `<a>`.repeat(200_000);
    const nested = policy(rule('Permit', { condition: 'CONDITION' })).replace(
      'CONDITION',
      `${`<Apply FunctionId="x">`.repeat(150)}${'</Apply>'.repeat(150)}`,
    );
    const giant = policy(rule('Permit', { condition: value('string', 'x'.repeat(2 ** 20)) }));
    const wide = policySet(Array.from({ length: 60_000 }, () => '<X/>'));
    for (const [text, reason] of [
      [bomb, /DOCTYPE/],
      [deep, /nested deeper/],
      [nested, /nested deeper/],
      [giant, /characters; at most/],
      [wide, /must come where|more than/],
      ['', /not well-formed/],
      ['{"json":1}', /not well-formed/],
    ] as const) {
      assert.match(quickly(() => refuse(text))[0]!.reason, reason);
    }
    assert.equal(ask(inForce).decision, 'Permit');
  });

  it('cannot nest policies deeper than evaluation can follow', () => {
    let inner = policy(rule('Permit'));
    for (let i = 0; i < 40; i++) inner = policySet(inner);
    assert.equal(ask(inner).decision, 'Permit');
    const chain = Array.from({ length: 5000 }, (_, i) =>
      document(policySet(`<PolicySetIdReference>s${i + 1}</PolicySetIdReference>`, { id: `s${i}` }), 'referenced'),
    );
    const end = document(policySet(policy(rule('Permit')), { id: 's5000' }), 'referenced');
    assert.match(quickly(() => refuse(...chain, end))[0]!.reason, /100/);
  });

  it('cannot chain variables deeper than evaluation can follow', () => {
    const define = (i: number) =>
      `<VariableDefinition VariableId="v${i}">${apply('not', `<VariableReference VariableId="v${i + 1}"/>`)}</VariableDefinition>`;
    const variables = `${Array.from({ length: 3000 }, (_, i) => define(i)).join('')}<VariableDefinition VariableId="v3000">${value('boolean', 'true')}</VariableDefinition>`;
    const backwards = `<VariableDefinition VariableId="v3000">${value('boolean', 'true')}</VariableDefinition>${Array.from({ length: 3000 }, (_, i) => define(2999 - i)).join('')}`;
    assert.match(refuse(policy(rule('Permit'), { variables }))[0]!.reason, /deep/);
    assert.match(refuse(policy(rule('Permit'), { variables: backwards }))[0]!.reason, /deep/);
  });
});

describe('a policy made to take forever', () => {
  const many = (n: number): Attributes => ({ a: Array.from({ length: n }, (_, i) => `v${i}`) });
  const isIndeterminate = (text: string, attributes: Attributes = {}) => {
    const result = quickly(() => ask(text, attributes));
    assert.equal(result.decision, 'Indeterminate');
    return result.failure!.message;
  };

  it('ends indeterminate when it multiplies bags', () => {
    const condition = apply(
      `${f3}any-of-any`,
      fn('string-equal'),
      designator('a'),
      apply('string-bag', ...Array.from({ length: 2000 }, (_, i) => value('string', `w${i}`))),
    );
    assert.match(isIndeterminate(policy(rule('Permit', { condition })), many(3000)), /more steps/);
    const nested = apply('all-of-any', fn('string-equal'), designator('a'), designator('a'));
    assert.match(isIndeterminate(policy(rule('Permit', { condition: nested })), many(20_000)), /more steps/);
  });

  it('ends indeterminate when it doubles strings or squares numbers', () => {
    const chain = (operation: string, first: string) => {
      const definitions = Array.from({ length: 60 }, (_, i) => {
        const use = `<VariableReference VariableId="v${i}"/>`;
        return `<VariableDefinition VariableId="v${i + 1}">${apply(operation, use, use)}</VariableDefinition>`;
      });
      return `<VariableDefinition VariableId="v0">${first}</VariableDefinition>${definitions.join('')}`;
    };
    const last = '<VariableReference VariableId="v60"/>';
    const strings = policy(rule('Permit', { condition: apply('string-equal', last, value('string', '')) }), {
      variables: chain(`${f2}string-concatenate`, value('string', 'ab')),
    });
    assert.match(isIndeterminate(strings), /string of more than|more steps/);
    const numbers = policy(rule('Permit', { condition: apply('integer-equal', last, value('integer', '1')) }), {
      variables: chain('integer-multiply', value('integer', '10')),
    });
    assert.match(isIndeterminate(numbers), /integer of more than/);
  });

  it('ends indeterminate when policies refer to policies in ever more ways', () => {
    const twice = (id: string) => `<PolicySetIdReference>${id}</PolicySetIdReference>`.repeat(2);
    const sets = Array.from({ length: 60 }, (_, i) =>
      document(policySet(twice(`s${i + 1}`), { id: `s${i}` }), i === 0 ? 'evaluated' : 'referenced'),
    );
    const inForce = accept(...sets, document(policySet(policy(rule('Permit')), { id: 's60' }), 'referenced'));
    const result = quickly(() => ask(inForce));
    assert.equal(result.decision, 'Indeterminate');
    assert.match(result.failure!.message, /more steps/);
  });

  it('stays indeterminate whatever the combining algorithm makes of its parts', () => {
    const slow = apply('all-of-any', fn('string-equal'), designator('a'), designator('a'));
    const text = policy(rule('Deny', { condition: slow }), { combining: ruleAlgorithm('permit-unless-deny') });
    assert.match(isIndeterminate(text, many(20_000)), /more steps/);
  });

  it('ends indeterminate when it asks much of XPath', () => {
    const content = `<Content><a xmlns="">${'<b>text</b>'.repeat(1500)}</a></Content>`;
    const xml = requestXml(`<Attributes Category="urn:c">${content}</Attributes>`);
    const selector = (path: string) =>
      `<AttributeSelector Category="urn:c" Path="${path}" DataType="http://www.w3.org/2001/XMLSchema#string" MustBePresent="false"/>`;
    const decide = (...paths: string[]) => {
      const conditions = paths.map((path) => apply('string-is-in', value('string', 'text'), selector(path)));
      return quickly(() => askXml(policy(rule('Permit', { condition: apply('and', ...conditions) })), xml))[0]!;
    };
    assert.equal(decide('//b', '/a/b[2]').decision, 'Permit');
    assert.match(decide('//b[count(//b[count(//b) &gt; 1]) &gt; 1]').failure!.message, /more steps/);
    assert.match(decide('//b[contains(/, ../b[contains(/, .)])]').failure!.message, /more steps/);
    assert.match(decide(...Array.from({ length: 3000 }, () => '//b')).failure!.message, /more steps/);
  });

  it('does not stall over long runs of white space', () => {
    const spaces = ' '.repeat(200_000);
    const condition = apply(
      'string-equal',
      apply('string-normalize-space', value('string', `x${spaces}x`)),
      apply('string-one-and-only', designator('a')),
    );
    assert.equal(quickly(() => ask(policy(rule('Permit', { condition })), { a: [`x${spaces}x`] })).decision, 'Permit');
    assert.match(
      quickly(() => refuse(policy(rule('Permit', { condition: value('boolean', `x${spaces}x`) }))))[0]!.reason,
      /no boolean/,
    );
  });

  it('takes the same steps with and without a trace', () => {
    const one = policySet([
      policy(rule('Permit'), { target: target(anyOf(match('a', 'x'))) }),
      policy(rule('Deny', { condition: apply('string-is-in', value('string', 'y'), designator('a')) })),
    ]);
    for (const maxSteps of Array.from({ length: 40 }, (_, i) => i)) {
      const plain = ask(one, { a: ['x'] }, { maxSteps });
      assert.equal(ask(one, { a: ['x'] }, { maxSteps, trace: true }).extended, plain.extended, String(maxSteps));
    }
    assert.equal(ask(one, { a: ['x'] }, { maxSteps: 40 }).decision, 'Permit');
  });
});

describe('a trace', () => {
  it('never changes the decision, however costly its explanations are', () => {
    const costly = apply(`${f3}any-of-any`, fn('string-equal'), designator('a'), designator('b'));
    const variables = `<VariableDefinition VariableId="v">${costly}</VariableDefinition>`;
    const use = '<VariableReference VariableId="v"/>';
    const skipped = apply('and', value('boolean', 'false'), use);
    const text = policy([rule('Deny', { condition: skipped }), rule('Permit', { condition: use })], { variables });
    const attributes = {
      a: Array.from({ length: 300 }, (_, i) => `a${i}`),
      b: [...Array.from({ length: 300 }, (_, i) => `b${i}`), 'a299'],
    };
    assert.equal(ask(text, attributes).decision, 'Permit');
    assert.equal(ask(text, attributes, { trace: true }).decision, 'Permit');
  });
});

const typeNames: readonly TypeName[] = [
  'string',
  'integer',
  'double',
  'boolean',
  'time',
  'date',
  'dateTime',
  'anyURI',
  'dayTimeDuration',
  'yearMonthDuration',
  'rfc822Name',
  'x500Name',
  'hexBinary',
];
const samples: Readonly<Record<string, readonly string[]>> = {
  string: ['', 'a', 'ab', '(a'],
  integer: ['0', '1', '-3', '99999999999999999999'],
  double: ['0', '1.5', 'NaN', '-INF'],
  boolean: ['true', 'false'],
  time: ['09:00:00', '23:59:59Z'],
  date: ['2024-02-29', '0001-01-01Z'],
  dateTime: ['2024-02-29T23:59:59', '999999999-12-31T00:00:00Z'],
  anyURI: ['', 'urn:a'],
  dayTimeDuration: ['P1D', '-PT0.5S', 'P999999999999999D'],
  yearMonthDuration: ['P1M', '-P999999999Y'],
  rfc822Name: ['a@b'],
  x500Name: ['CN=a', ''],
  hexBinary: ['', '0A'],
};

describe('whatever a policy says', () => {
  /** Expressions of any shape: most are refused for their types, the others must evaluate without throwing. */
  const { expression } = fc.letrec<{ expression: string }>((tie) => ({
    expression: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      fc
        .constantFrom(...typeNames)
        .chain((type) => fc.constantFrom(...samples[type]!).map((text) => value(type, text))),
      fc.constantFrom(...typeNames).map((type) => designator('a', type)),
      fc.constantFrom(...typeNames).map((type) => apply(`${type}-one-and-only`, designator('a', type))),
      fc
        .tuple(fc.constantFrom(...functionIds()), fc.array(tie('expression'), { maxLength: 3 }))
        .map(([id, args]) => apply(id, ...args)),
      fc
        .tuple(
          fc.constantFrom(...functionIds().filter((id) => /of|map/.test(id))),
          fc.constantFrom(...functionIds()),
          fc.array(tie('expression'), { minLength: 1, maxLength: 2 }),
        )
        .map(([id, inner, args]) => apply(id, fn(inner), ...args)),
    ),
  }));
  /** Calls with arguments of the types the function takes, so that nearly every one is evaluated. */
  const call = fc.constantFrom(...functionIds()).chain((id) => {
    const found = findFunction(id)!;
    if (found.kind === 'higher-order') {
      const inner = fc.constantFrom('string-equal', 'integer-less-than', 'time-greater-than', 'string-normalize-space');
      return inner.map((name) => apply(id, fn(name), designator('a'), designator('a', 'integer')));
    }
    const further =
      found.rest === undefined ? fc.constant(0) : fc.integer({ min: found.rest.min, max: found.rest.min + 2 });
    return further.chain((count) => {
      const wanted = [...found.parameters, ...Array.from({ length: count }, () => found.rest!.type)];
      const args = wanted.map(({ type, bag }) => {
        const name = type.name as TypeName;
        const texts = samples[name] ?? [];
        if (bag || texts.length === 0) return fc.constantFrom(designator('a', name), designator('none', name));
        return fc.constantFrom(
          ...texts.map((text) => value(name, text)),
          apply(`${name}-one-and-only`, designator('a', name)),
        );
      });
      return fc.tuple(...args).map((list) => apply(id, ...list));
    });
  });
  const attributes: Attributes = {
    a: typeNames.flatMap((type) => samples[type]!.map((text) => [type, text] as const)),
  };
  const notice = (inner: string) =>
    `<ObligationExpressions><ObligationExpression ObligationId="o" FulfillOn="Permit"><AttributeAssignmentExpression AttributeId="a">${inner}</AttributeAssignmentExpression></ObligationExpression></ObligationExpressions>`;

  for (const [name, arbitrary, runs, least] of [
    ['any expression', expression, 4000, 100],
    ['any call', call, 4000, 2000],
  ] as const) {
    it(`${name} is refused with a line and a reason, or evaluates to a result (fuzz)`, () => {
      let evaluated = 0;
      fc.assert(
        fc.property(arbitrary, (text) => {
          const accepted = acceptPolicies([document(policy(rule('Permit', { notices: notice(text) })))]);
          if (!accepted.ok) {
            assert.ok(accepted.faults[0]!.line >= 1 && accepted.faults[0]!.reason.length > 0);
            return;
          }
          evaluated++;
          const result = ask(accepted.value, attributes, { trace: true });
          assert.doesNotMatch(result.failure?.message ?? '', /broke off/);
          assert.ok(result.decision === 'Permit' || result.decision === 'Indeterminate');
          assert.ok(writeResponse([result]).includes('<Decision>'));
        }),
        { numRuns: runs, seed: 9 },
      );
      assert.ok(evaluated > least, `only ${evaluated} were evaluated`);
    });
  }

  it('any text is read as a policy or request, or refused (fuzz)', () => {
    const good = [
      policy(rule('Permit', { condition: apply('string-is-in', value('string', 'x'), designator('a')) })),
      policySet(policy(rule('Deny'))),
    ];
    const pieces = [
      '<',
      '>',
      '"',
      '/',
      '&',
      'x',
      ' ',
      '<Rule',
      '</Policy>',
      'Version="',
      ']]>',
      '<!--',
      '<![CDATA[',
      '<!DOCTYPE',
      '\u0000',
      '<Target/>',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 20 }), fc.constantFrom(...pieces)), { minLength: 1, maxLength: 3 }),
        (start, cuts) => {
          let text: string = start;
          for (const [where, length, piece] of cuts) {
            const at = where % (text.length + 1);
            text = text.slice(0, at) + piece + text.slice(at + length);
          }
          const read = readPolicy('p', text);
          if (!read.ok) assert.ok(read.faults[0]!.line >= 1 && read.faults[0]!.reason !== '');
          const accepted = acceptPolicies([document(text)]);
          if (accepted.ok) assert.notEqual(ask(accepted.value, attributes).decision, undefined);
          else assert.ok(accepted.faults[0]!.line >= 1 && accepted.faults[0]!.reason !== '');
          const request = readRequest(text);
          assert.ok(!request.ok && request.reason !== '');
        },
      ),
      { numRuns: 2000, seed: 10 },
    );
  });
});
