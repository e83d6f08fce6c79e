import { readXml } from '../protocol/xml/read.ts';
import { defaultXmlLimits, type XmlLimits } from '../protocol/xml/scan.ts';
import type { XmlElement } from '../protocol/xml/tree.ts';
import { Refusal } from './failure.ts';
import { namespace, xpathVersion1 } from './identifiers.ts';
import type {
  Effect,
  PolicySetSyntax,
  PolicySyntax,
  PolicyTree,
  ReferenceSyntax,
  RuleSyntax,
  VariableSyntax,
} from './policy.ts';
import { readDescription, readNotices, readSoleExpression, readTarget, readValue } from './read-expression.ts';
import { readText, Shape } from './shape.ts';

/** Reads a policy document and checks its structure. Throws `Refusal`. */
export function readPolicyText(text: string, limits: XmlLimits = defaultXmlLimits): PolicyTree {
  const read = readXml(text, limits);
  if (!read.ok) throw new Refusal(read.fault.line, read.fault.reason);
  const { root } = read;
  if (root.namespace !== namespace || (root.name !== 'Policy' && root.name !== 'PolicySet')) {
    const found =
      root.namespace === namespace ? `<${root.name}>` : `<${root.name}> of the namespace "${root.namespace}"`;
    throw new Refusal(
      root.line,
      `the document must be a <Policy> or <PolicySet> of XACML 3.0 (${namespace}), not ${found}`,
    );
  }
  return readTree(root);
}

function readTree(element: XmlElement): PolicyTree {
  return element.name === 'Policy' ? readPolicy(element) : readPolicySet(element);
}

/** What policies and policy sets begin with, up to and including the target. */
function readHead(shape: Shape, defaults: string) {
  const description = readDescription(shape);
  const issuer = shape.take('PolicyIssuer');
  if (issuer !== undefined) {
    throw new Refusal(
      issuer.line,
      'policies with a <PolicyIssuer> belong to the delegation profile, which is not supported',
    );
  }
  const defaultsElement = shape.take(defaults);
  if (defaultsElement !== undefined) {
    const inner = new Shape(defaultsElement, {});
    const version = readText(inner.require('XPathVersion')).trim();
    inner.end();
    if (version !== xpathVersion1) {
      throw new Refusal(
        defaultsElement.line,
        `XPath version ${version.slice(0, 100)} is not supported; only ${xpathVersion1} is`,
      );
    }
  }
  const target = readTarget(shape.require('Target'));
  const condition = shape.take('Condition');
  if (condition !== undefined) {
    throw new Refusal(
      condition.line,
      `a <Condition> has a meaning only in a <Rule>; <${shape.element.name}> may not have one`,
    );
  }
  return { description, target };
}

function readPolicySet(element: XmlElement): PolicySetSyntax {
  const shape = new Shape(element, {
    PolicySetId: 'uri!',
    Version: 'version!',
    PolicyCombiningAlgId: 'uri!',
    MaxDelegationDepth: 'integer',
  });
  const head = readHead(shape, 'PolicySetDefaults');
  const children: (PolicyTree | ReferenceSyntax)[] = [];
  for (;;) {
    const child = shape.take(
      'PolicySet',
      'Policy',
      'PolicySetIdReference',
      'PolicyIdReference',
      'CombinerParameters',
      'PolicyCombinerParameters',
      'PolicySetCombinerParameters',
    );
    if (child === undefined) break;
    if (child.name === 'PolicySet' || child.name === 'Policy') children.push(readTree(child));
    else if (child.name.endsWith('Reference')) children.push(readReference(child));
    else checkCombinerParameters(child);
  }
  const notices = readNotices(shape);
  shape.end();
  return {
    kind: 'policySet',
    id: shape.uri('PolicySetId'),
    version: shape.text('Version'),
    combining: shape.uri('PolicyCombiningAlgId'),
    line: element.line,
    ...head,
    children,
    ...notices,
  };
}

function readReference(element: XmlElement): ReferenceSyntax {
  const id = readText(element, {
    Version: 'versionMatch',
    EarliestVersion: 'versionMatch',
    LatestVersion: 'versionMatch',
  }).trim();
  const attribute = (name: string) => element.attributes.find((a) => a.name === name)?.value;
  return {
    kind: element.name === 'PolicyIdReference' ? 'policyReference' : 'policySetReference',
    id,
    line: element.line,
    version: attribute('Version'),
    earliest: attribute('EarliestVersion'),
    latest: attribute('LatestVersion'),
  };
}

/** No combining algorithm of the standard takes parameters: they are checked and have no effect. */
function checkCombinerParameters(element: XmlElement): void {
  const reference = {
    RuleCombinerParameters: { RuleIdRef: 'string!' },
    PolicyCombinerParameters: { PolicyIdRef: 'uri!' },
    PolicySetCombinerParameters: { PolicySetIdRef: 'uri!' },
  } as const;
  const shape = new Shape(element, reference[element.name as keyof typeof reference] ?? {});
  for (const parameter of shape.takeAll('CombinerParameter')) {
    const inner = new Shape(parameter, { ParameterName: 'string!' });
    readValue(inner.require('AttributeValue'));
    inner.end();
  }
  shape.end();
}

function readPolicy(element: XmlElement): PolicySyntax {
  const shape = new Shape(element, {
    PolicyId: 'uri!',
    Version: 'version!',
    RuleCombiningAlgId: 'uri!',
    MaxDelegationDepth: 'integer',
  });
  const head = readHead(shape, 'PolicyDefaults');
  const variables: VariableSyntax[] = [];
  const rules: RuleSyntax[] = [];
  for (;;) {
    const child = shape.take('CombinerParameters', 'RuleCombinerParameters', 'VariableDefinition', 'Rule');
    if (child === undefined) break;
    if (child.name === 'Rule') rules.push(readRule(child));
    else if (child.name === 'VariableDefinition') variables.push(readVariable(child));
    else checkCombinerParameters(child);
  }
  const notices = readNotices(shape);
  shape.end();
  return {
    kind: 'policy',
    id: shape.uri('PolicyId'),
    version: shape.text('Version'),
    combining: shape.uri('RuleCombiningAlgId'),
    line: element.line,
    ...head,
    variables,
    rules,
    ...notices,
  };
}

function readVariable(element: XmlElement): VariableSyntax {
  const shape = new Shape(element, { VariableId: 'string!' });
  return { id: shape.text('VariableId'), line: element.line, expression: readSoleExpression(shape) };
}

function readRule(element: XmlElement): RuleSyntax {
  const shape = new Shape(element, { RuleId: 'string!', Effect: 'effect!' });
  const description = readDescription(shape);
  const targetElement = shape.take('Target');
  const target = targetElement === undefined ? [] : readTarget(targetElement);
  const conditionElement = shape.take('Condition');
  const condition = conditionElement === undefined ? undefined : readSoleExpression(new Shape(conditionElement, {}));
  const notices = readNotices(shape);
  shape.end();
  return {
    id: shape.text('RuleId'),
    effect: shape.text('Effect') as Effect,
    line: element.line,
    description,
    target,
    condition,
    ...notices,
  };
}
