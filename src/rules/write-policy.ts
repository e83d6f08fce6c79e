import { escapeAttribute, escapeText } from '../protocol/xml/write.ts';
import { types } from './datatypes/table.ts';
import { namespace } from './identifiers.ts';
import { provisioningNames } from './provisioning-request.ts';

/** Pieces of policies that people fill in forms for: XML, laid out to be read. */

export const function1 = 'urn:oasis:names:tc:xacml:1.0:function:';
export const function2 = 'urn:oasis:names:tc:xacml:2.0:function:';
export const function3 = 'urn:oasis:names:tc:xacml:3.0:function:';
const firstApplicable = 'urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:first-applicable';

/** A piece of XML, one line each. */
export type Lines = readonly string[];

/** A policy of which the first rule that applies decides. `parts` are its target, variables and rules. */
export function writePolicy(policyId: string, version: string, description: string, parts: Lines): string {
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<Policy xmlns="${namespace}"`,
    `        PolicyId="${escapeAttribute(policyId)}" Version="${version}"`,
    `        RuleCombiningAlgId="${firstApplicable}">`,
    ...indent([`<Description>${escapeText(description)}</Description>`, ...parts]),
    '</Policy>',
  ].join('\n')}\n`;
}

/** A target that asks about provisioning, and further things in the order given. */
export function writeTarget(anyOfs: readonly Lines[]): Lines {
  const { actionCategory, actionName } = provisioningNames;
  return [
    '<Target>',
    ...indent([...anyOfs.flat(), ...matchAnyOf(actionCategory, actionName, ['provisioning'])]),
    '</Target>',
  ];
}

/** An `<AnyOf>`: the attribute has one of these values. */
export function matchAnyOf(category: string, id: string, values: readonly string[]): Lines {
  return [
    '<AnyOf>',
    ...indent(
      values.flatMap((value) => [
        '<AllOf>',
        `  <Match MatchId="${function1}string-equal">`,
        `    ${stringValue(value)}`,
        `    ${designator(category, id, types.string.id)}`,
        '  </Match>',
        '</AllOf>',
      ]),
    ),
    '</AnyOf>',
  ];
}

export function memberCondition(category: string, id: string, values: readonly string[]): Lines {
  return apply(`${function1}string-at-least-one-member-of`, [
    [designator(category, id, types.string.id)],
    apply(
      `${function1}string-bag`,
      values.map((value) => [stringValue(value)]),
    ),
  ]);
}

/** One condition as it is, several joined by `and` or `or`. */
export function join(by: 'and' | 'or', conditions: readonly Lines[]): Lines {
  return conditions.length === 1 ? conditions[0]! : apply(`${function1}${by}`, conditions);
}

export function stringValue(value: string): string {
  return attributeValue('string', value);
}

export function attributeValue(type: 'string' | 'integer' | 'date' | 'time', value: string): string {
  return `<AttributeValue DataType="${types[type].id}">${escapeText(value)}</AttributeValue>`;
}

export function designator(category: string, id: string, dataType: string): string {
  return `<AttributeDesignator Category="${category}" AttributeId="${escapeAttribute(id)}" DataType="${dataType}" MustBePresent="false"/>`;
}

export function apply(id: string, args: readonly Lines[]): Lines {
  return [`<Apply FunctionId="${id}">`, ...indent(args.flat()), '</Apply>'];
}

export function indent(lines: Lines): Lines {
  return lines.map((line) => `  ${line}`);
}
