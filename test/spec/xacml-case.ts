import { types } from '../../src/rules/datatypes/table.ts';
import { type DecisionResult, evaluateRequest } from '../../src/rules/evaluate.ts';
import type { EvaluationSettings } from '../../src/rules/evaluation.ts';
import {
  acceptPolicies,
  type PoliciesInForce,
  type PolicyDocument,
  type PolicyFault,
} from '../../src/rules/in-force.ts';
import { readRequest } from '../../src/rules/read-request.ts';
import type { RequestCategory } from '../../src/rules/request.ts';

/** XACML written briefly: the test cases of this folder are made of these. */

export const f1 = 'urn:oasis:names:tc:xacml:1.0:function:';
export const f2 = 'urn:oasis:names:tc:xacml:2.0:function:';
export const f3 = 'urn:oasis:names:tc:xacml:3.0:function:';
export const ruleAlgorithm = (name: string, version = '3.0') =>
  `urn:oasis:names:tc:xacml:${version}:rule-combining-algorithm:${name}`;
export const policyAlgorithm = (name: string, version = '3.0') =>
  `urn:oasis:names:tc:xacml:${version}:policy-combining-algorithm:${name}`;
export const xacmlNamespace = 'urn:oasis:names:tc:xacml:3.0:core:schema:wd-17';
export const subjectCategory = 'urn:oasis:names:tc:xacml:1.0:subject-category:access-subject';

export type TypeName = keyof typeof types;

export function value(type: TypeName, text: string): string {
  return `<AttributeValue DataType="${types[type].id}">${text}</AttributeValue>`;
}

export function designator(
  id: string,
  type: TypeName = 'string',
  more: { must?: boolean; category?: string; issuer?: string } = {},
) {
  const issuer = more.issuer === undefined ? '' : ` Issuer="${more.issuer}"`;
  return `<AttributeDesignator Category="${more.category ?? subjectCategory}" AttributeId="${id}" DataType="${types[type].id}"${issuer} MustBePresent="${more.must ?? false}"/>`;
}

export function apply(fn: string, ...args: string[]): string {
  return `<Apply FunctionId="${fn.includes(':') ? fn : f1 + fn}">${args.join('')}</Apply>`;
}

export function fn(id: string): string {
  return `<Function FunctionId="${id.includes(':') ? id : f1 + id}"/>`;
}

/** `string-equal` of an attribute and a value. */
export function match(id: string, text: string, must = false): string {
  return `<Match MatchId="${f1}string-equal">${value('string', text)}${designator(id, 'string', { must })}</Match>`;
}

export const anyOf = (...allOfs: string[]) => `<AnyOf>${allOfs.map((m) => `<AllOf>${m}</AllOf>`).join('')}</AnyOf>`;
export const target = (...anyOfs: string[]) => `<Target>${anyOfs.join('')}</Target>`;

let made = 0;

export function rule(
  effect: 'Permit' | 'Deny',
  parts: { id?: string; target?: string; condition?: string; notices?: string } = {},
) {
  const condition = parts.condition === undefined ? '' : `<Condition>${parts.condition}</Condition>`;
  return `<Rule RuleId="${parts.id ?? `rule${made++}`}" Effect="${effect}">${parts.target ?? ''}${condition}${parts.notices ?? ''}</Rule>`;
}

/** A condition that cannot be evaluated. */
export const broken = apply(
  'integer-equal',
  apply('integer-divide', value('integer', '1'), value('integer', '0')),
  value('integer', '1'),
);

interface PolicyParts {
  id?: string;
  version?: string;
  target?: string;
  combining?: string;
  variables?: string;
  notices?: string;
}

export function policy(rules: string | string[], parts: PolicyParts = {}): string {
  return `<Policy xmlns="${xacmlNamespace}" PolicyId="${parts.id ?? `policy${made++}`}" Version="${parts.version ?? '1.0'}" RuleCombiningAlgId="${
    parts.combining ?? ruleAlgorithm('deny-overrides')
  }">${parts.target ?? '<Target/>'}${parts.variables ?? ''}${[rules].flat().join('')}${parts.notices ?? ''}</Policy>`;
}

export function policySet(children: string | string[], parts: PolicyParts = {}): string {
  return `<PolicySet xmlns="${xacmlNamespace}" PolicySetId="${parts.id ?? `set${made++}`}" Version="${parts.version ?? '1.0'}" PolicyCombiningAlgId="${
    parts.combining ?? policyAlgorithm('deny-overrides')
  }">${parts.target ?? '<Target/>'}${[children].flat().join('')}${parts.notices ?? ''}</PolicySet>`;
}

/** Policies that give each decision a rule, policy or set can give. */
export const giving = {
  P: () => policy(rule('Permit')),
  D: () => policy(rule('Deny')),
  N: () => policy(rule('Permit'), { target: target(anyOf(match('nobody', 'x'))) }),
  IP: () => policy(rule('Permit', { condition: broken })),
  ID: () => policy(rule('Deny', { condition: broken })),
  IDP: () => policy([rule('Permit'), rule('Deny', { condition: broken })]),
};

export function document(
  text: string,
  use: PolicyDocument['use'] = 'evaluated',
  name = `document${made++}`,
): PolicyDocument {
  return { name, text, use };
}

export function accept(...policies: (string | PolicyDocument)[]): PoliciesInForce {
  const accepted = acceptPolicies(policies.map((p) => (typeof p === 'string' ? document(p) : p)));
  if (!accepted.ok) throw new Error(accepted.faults.map((f) => `${f.document}:${f.line} ${f.reason}`).join('\n'));
  return accepted.value;
}

/** The faults of policies that must be refused. */
export function refuse(...policies: (string | PolicyDocument)[]): readonly PolicyFault[] {
  const accepted = acceptPolicies(policies.map((p) => (typeof p === 'string' ? document(p) : p)));
  if (accepted.ok) throw new Error('the policies were accepted');
  return accepted.faults;
}

export const settings: EvaluationSettings = { now: Date.UTC(2024, 6, 1, 12, 30), zone: 120 };

/** Attributes of the subject, all strings unless the value names its type. */
export type Attributes = Readonly<Record<string, readonly (string | readonly [TypeName, string])[]>>;

export function subject(attributes: Attributes): RequestCategory {
  return {
    category: subjectCategory,
    xmlId: undefined,
    content: undefined,
    attributes: Object.entries(attributes).map(([id, values]) => ({
      id,
      issuer: undefined,
      includeInResult: false,
      values: values.map((v) => {
        const [type, text] = typeof v === 'string' ? (['string', v] as const) : v;
        return { type: types[type], value: types[type].parse(text) };
      }),
    })),
  };
}

export function ask(
  policies: PoliciesInForce | string,
  attributes: Attributes = {},
  more: Partial<EvaluationSettings> = {},
): DecisionResult {
  const request = {
    returnPolicyIds: true,
    combinedDecision: false,
    categories: [subject(attributes)],
    references: undefined,
  };
  const inForce = typeof policies === 'string' ? accept(policies) : policies;
  return evaluateRequest(inForce, request, { ...settings, ...more })[0]!;
}

export function requestXml(inner: string, attributes = 'ReturnPolicyIdList="false" CombinedDecision="false"'): string {
  return `<Request xmlns="${xacmlNamespace}" ${attributes}>${inner}</Request>`;
}

export function askXml(policies: PoliciesInForce | string, xml: string): readonly DecisionResult[] {
  const read = readRequest(xml);
  if (!read.ok) throw new Error(`line ${read.line}: ${read.reason}`);
  return evaluateRequest(typeof policies === 'string' ? accept(policies) : policies, read.request, settings);
}

/**
 * What an expression yields, printed: a value as text, a bag as a list of texts, a failure as `error: …`. It is
 * evaluated as the assignment of an obligation.
 */
export function evaluate(
  expression: string,
  attributes: Attributes = {},
  more: Partial<EvaluationSettings> = {},
): string {
  const obligation = `<ObligationExpressions><ObligationExpression ObligationId="o" FulfillOn="Permit"><AttributeAssignmentExpression AttributeId="a">${expression}</AttributeAssignmentExpression></ObligationExpression></ObligationExpressions>`;
  const result = ask(policy(rule('Permit', { notices: obligation })), attributes, more);
  if (result.failure !== undefined) return `error: ${result.failure.message}`;
  return result.obligations[0]!.assignments.map((a) => a.type.print(a.value)).join(' | ');
}
