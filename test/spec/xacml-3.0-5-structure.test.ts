import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  XmlBufferInputProvider,
  XmlDocument,
  XsdValidator,
  xmlCleanupInputProvider,
  xmlRegisterInputProvider,
} from 'libxml2-wasm';
import { readXml } from '../../src/protocol/xml/read.ts';
import type { XmlElement } from '../../src/protocol/xml/tree.ts';
import { writeElement } from '../../src/protocol/xml/write.ts';
import { readPolicy } from '../../src/rules/in-force.ts';
import { designator, policy, policySet, refuse, rule, value, xacmlNamespace } from './xacml-case.ts';

function fault(text: string): string {
  const read = readPolicy('p', text);
  assert.ok(!read.ok, `accepted: ${text}`);
  return `${read.faults[0]!.line}: ${read.faults[0]!.reason}`;
}

describe('XACML 3.0 5 the structure of policies', () => {
  it('is refused with its line and what was expected', () => {
    const one = policy(rule('Permit'), { id: 'p' });
    const rows: [string, RegExp][] = [
      ['<Policy/>', /1: the document must be a <Policy> or <PolicySet> of XACML 3.0/],
      ['\n\n<a>', /well-formed/],
      [one.replace('PolicyId="p" ', ''), /<Policy> lacks the attribute PolicyId/],
      [one.replace('Version="1.0"', 'Version="1.a"'), /is not a version/],
      [one.replace('<Target/>', ''), /in <Policy>, <Target> must come where <Rule> stands/],
      [
        one.replace('<Target/>', '<Target/>\n<Target/>'),
        /2: in <Policy>, nothing more must come where <Target> stands/,
      ],
      [
        one.replace('<Target/>', '<Target>\n<AnyOf/></Target>'),
        /2: in <AnyOf>, <AllOf> must come where its end stands/,
      ],
      [one.replace('<Target/>', '<Target/>text'), /<Policy> may not hold text/],
      [one.replace('Effect="Permit"', 'Effect="permit"'), /Effect="permit" of <Rule> is not Permit or Deny/],
      [one.replace('Effect="Permit"', 'Effect="Permit" Other="x"'), /<Rule> has no attribute Other/],
      [one.replace('<Target/>', '<Target/><x:Rule xmlns:x="urn:x"/>'), /<Rule> of the namespace "urn:x"/],
      [
        one.replace('<Target/>', '<Target/><Condition><Apply FunctionId="x"/></Condition>'),
        /a <Condition> has a meaning only in a <Rule>/,
      ],
      [one.replace('<Target/>', '<PolicyIssuer/><Target/>'), /delegation profile/],
      [
        one.replace(
          '<Target/>',
          '<PolicyDefaults><XPathVersion>http://www.w3.org/TR/2007/REC-xpath20-20070123</XPathVersion></PolicyDefaults><Target/>',
        ),
        /XPath version .* is not supported/,
      ],
      [
        policy(rule('Permit', { condition: value('boolean', 'true') + value('boolean', 'true') })),
        /in <Condition>, nothing more must come/,
      ],
      [
        policy(rule('Permit', { condition: designator('a').replace('MustBePresent="false"', '') })),
        /lacks the attribute MustBePresent/,
      ],
      [policy(rule('Permit', { condition: value('boolean', '<b/>') })), /cannot hold the element <b>/],
      [policy(rule('Permit', { notices: '<ObligationExpressions/>' })), /<ObligationExpression> must come/],
      [
        policy(
          rule('Permit', {
            notices: '<AdviceExpressions><AdviceExpression AdviceId="a" AppliesTo="Both"/></AdviceExpressions>',
          }),
        ),
        /is not Permit or Deny/,
      ],
      [policySet('<PolicyIdReference Version="x">p</PolicyIdReference>'), /is not a version pattern/],
      [policySet('<PolicyIdReference><b/></PolicyIdReference>'), /may hold only text/],
      [policySet(`<Rule RuleId="r" Effect="Permit"/>`), /nothing more must come where <Rule> stands/],
    ];
    for (const [text, reason] of rows) assert.match(fault(text), reason, text);
  });

  it('takes what the schema takes', () => {
    const parameters = `<CombinerParameters><CombinerParameter ParameterName="n">${value('string', 'v')}</CombinerParameter></CombinerParameters>`;
    const one = `<!-- c --><?pi x?><p:Policy xmlns:p="${xacmlNamespace}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" PolicyId=" p " Version="1" RuleCombiningAlgId="urn:oasis:names:tc:xacml:3.0:rule-combining-algorithm:deny-overrides" MaxDelegationDepth="3"><p:Description>d</p:Description><p:Target><!-- c --></p:Target><p:RuleCombinerParameters RuleIdRef="r"/></p:Policy>`;
    const read = readPolicy('p', one);
    assert.ok(read.ok && read.value.id === 'p' && read.value.description === 'd');
    assert.ok(readPolicy('p', policySet(parameters)).ok);
    assert.ok(readPolicy('p', policy([])).ok);
  });

  it('names two rules of one id', () => {
    assert.match(
      refuse(policy([rule('Permit', { id: 'r' }), rule('Deny', { id: 'r' })]))[0]!.reason,
      /two rules of the policy have the id r/,
    );
  });
});

const folder = join(import.meta.dirname, '../../../shared/conformance/xacml');
const absent = existsSync(join(folder, 'xsd')) ? false : `there is no schema in ${folder}`;
if (absent) console.log(`skipped: ${absent}`);

describe('XACML 3.0 5 against the schema', { skip: absent }, () => {
  /** What we refuse though the schema allows it; every other refusal must be the schema's too. */
  const stricter =
    /delegation profile|XPath version|a <Condition> has a meaning only|cannot hold the element|nested deeper/;
  /** What the schema refuses and no policy could mean anything else by: values that are checked when compiled. */
  const looser = /XPathVersion/;

  it('refuses a mutated policy exactly when the schema does (property)', () => {
    const provider = new XmlBufferInputProvider({ 'xml.xsd': readFileSync(join(folder, 'xsd/xml.xsd')) });
    xmlRegisterInputProvider(provider);
    const schema = XmlDocument.fromBuffer(readFileSync(join(folder, 'xsd/xacml-core-v3-schema-wd-17.xsd')), {
      url: 'xacml.xsd',
    });
    const validator = XsdValidator.fromDoc(schema);
    const ids = readdirSync(join(folder, 'mandatory')).filter((id) =>
      existsSync(join(folder, 'mandatory', id, 'Policy.xml')),
    );
    const roots = ids.map((id) => {
      const read = readXml(readFileSync(join(folder, 'mandatory', id, 'Policy.xml'), 'utf8'));
      assert.ok(read.ok);
      return read.root;
    });
    const valid = (text: string): string | undefined => {
      const document = XmlDocument.fromString(text);
      try {
        validator.validate(document);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      } finally {
        document.dispose();
      }
    };
    let refused = 0;
    let accepted = 0;
    try {
      fc.assert(
        fc.property(fc.nat(), fc.nat(), fc.nat(), fc.nat({ max: 8 }), (which, where, extra, how) => {
          const text = writeElement(mutate(roots[which % roots.length]!, where, extra, how));
          const theirs = valid(text);
          const ours = readPolicy('p', text);
          if (ours.ok) {
            accepted++;
            assert.ok(theirs === undefined || looser.test(theirs), `the schema says ${theirs}\n${text}`);
          } else {
            refused++;
            const { reason } = ours.faults[0]!;
            assert.ok(theirs !== undefined || stricter.test(reason), `only we say ${reason}\n${text}`);
          }
        }),
        { numRuns: 1500, seed: 8 },
      );
    } finally {
      validator.dispose();
      schema.dispose();
      xmlCleanupInputProvider();
    }
    assert.ok(refused > 300 && accepted > 100, `${refused} refused, ${accepted} accepted`);
  });
});

const oddValues = [
  'x y',
  ':',
  'a:',
  '1:b',
  'a%zz',
  'a%20',
  'a#b#c',
  '[',
  '',
  'TRUE',
  ' true ',
  '01',
  '1.',
  '1.*',
  'permit',
  'é',
];

/** Changes one element, found by number: takes it or an attribute away, doubles, renames, moves or misuses it. */
function mutate(root: XmlElement, where: number, extra: number, how: number): XmlElement {
  const all: XmlElement[] = [];
  const collect = (element: XmlElement) => {
    all.push(element);
    for (const child of element.children) if (typeof child !== 'string') collect(child);
  };
  collect(root);
  const chosen = all[where % all.length]!;
  const other = all[extra % all.length]!;
  const { attributes, children } = chosen;
  const replace = (by: readonly XmlElement[]) => rebuild(root, chosen, by);
  switch (how) {
    case 0:
      return chosen === root ? root : replace([]);
    case 1:
      return chosen === root ? root : replace([chosen, chosen]);
    case 2:
      return replace([
        { ...chosen, attributes: attributes.filter((_, i) => i !== extra % Math.max(1, attributes.length)) },
      ]);
    case 3:
      return replace([{ ...chosen, name: other.name }]);
    case 4:
      return replace([{ ...chosen, children: [...children].reverse() }]);
    case 5:
      return replace([{ ...chosen, children: [...children, 'text'] }]);
    case 6:
      return replace([
        { ...chosen, attributes: [...attributes, { namespace: '', prefix: '', name: 'Extra', value: 'x' }] },
      ]);
    case 7:
      return replace([{ ...chosen, children: [...children, other] }]);
    default:
      return replace([
        {
          ...chosen,
          attributes: attributes.map((a, i) =>
            i === extra % attributes.length ? { ...a, value: oddValues[extra % oddValues.length]! } : a,
          ),
        },
      ]);
  }
}

function rebuild(element: XmlElement, from: XmlElement, to: readonly XmlElement[]): XmlElement {
  if (element === from) return to[0] ?? element;
  const children = element.children.flatMap((child): (XmlElement | string)[] => {
    if (typeof child === 'string') return [child];
    return child === from ? [...to] : [rebuild(child, from, to)];
  });
  return { ...element, children };
}
