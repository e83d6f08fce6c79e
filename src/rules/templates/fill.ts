import { Problem } from '../../base/problem.ts';
import { escapeAttribute, escapeText } from '../../protocol/xml/write.ts';
import { types } from '../datatypes/table.ts';
import { clockAttributes, environmentCategory, namespace } from '../identifiers.ts';
import { provisioningNames } from '../provisioning-request.ts';
import { type TemplateForm, templates } from './form.ts';

const function1 = 'urn:oasis:names:tc:xacml:1.0:function:';
const function2 = 'urn:oasis:names:tc:xacml:2.0:function:';
const firstApplicable = 'urn:oasis:names:tc:xacml:1.0:rule-combining-algorithm:first-applicable';

/** A piece of XML, one line each. */
type Lines = readonly string[];

/**
 * Writes the policy a form describes. Removals come first and are permitted (unless the form says otherwise); creations,
 * updates and password changes are permitted when the conditions hold; everything else is denied.
 * Throws `Problem` `invalidValue`, naming the field.
 */
export function fillTemplate(form: TemplateForm): string {
  const template = templates.find((one) => one.kind === form.template);
  if (template === undefined) {
    throw new Problem(
      'invalidValue',
      `There is no template ${form.template}. There are: ${templates.map((t) => t.kind).join(', ')}.`,
      { field: 'template' },
    );
  }
  const policyId = required(form.policyId, 'policyId', 'Give the policy an id');
  if (/[<>"{}|\\^`\s]/.test(policyId)) {
    throw new Problem('invalidValue', 'The id of a policy is a URI: it holds no spaces, quotes or brackets.', {
      field: 'policyId',
    });
  }
  const version = form.version ?? '1.0';
  if (!/^(\d+\.)*\d+$/.test(version)) {
    throw new Problem('invalidValue', 'A version is numbers parted by dots, such as 1.0.', { field: 'version' });
  }
  const fields: readonly string[] = template.fields;
  const conditions: Lines[] = [];
  if (fields.includes('roles')) {
    const { provisioningCategory, claimGroup } = provisioningNames;
    conditions.push(memberCondition(provisioningCategory, claimGroup, list(form.roles, 'roles')));
  }
  if (fields.includes('claim')) {
    const claim = required(form.claim, 'claim', 'Name the attribute');
    if (/[<>"{}|\\^`\s]/.test(claim)) {
      throw new Problem(
        'invalidValue',
        'Name the attribute by its SCIM path or claim URI, without spaces or filters.',
        { field: 'claim' },
      );
    }
    conditions.push(memberCondition(provisioningNames.userCategory, claim, list(form.values, 'values')));
  }
  // Last, so that who is refused for another reason is not asked about again each minute.
  if (fields.includes('from')) conditions.push(timeCondition(form));
  const condition = conditions.length === 1 ? conditions[0]! : apply(`${function1}and`, conditions);

  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<Policy xmlns="${namespace}"`,
    `        PolicyId="${escapeAttribute(policyId)}" Version="${version}"`,
    `        RuleCombiningAlgId="${firstApplicable}">`,
    ...indent([
      `<Description>${escapeText(form.description ?? template.explains)}</Description>`,
      ...target(form),
      ...(form.removals === 'as-other-operations' ? [] : removalRule()),
      '<Rule RuleId="permit_when_conditions_hold" Effect="Permit">',
      '  <Condition>',
      ...indent(indent(condition)),
      '  </Condition>',
      '</Rule>',
      '<Rule RuleId="deny_others" Effect="Deny"/>',
    ]),
    '</Policy>',
  ].join('\n')}\n`;
}

function required(value: string | undefined, field: string, ask: string): string {
  const text = value?.trim() ?? '';
  if (text === '') throw new Problem('invalidValue', `${ask}: the field is empty.`, { field });
  return text;
}

function list(values: readonly string[] | undefined, field: string): readonly string[] {
  const given = (values ?? []).filter((value) => value !== '');
  if (given.length === 0)
    throw new Problem('invalidValue', 'Give at least one value: with none, nobody would be provisioned.', { field });
  return given;
}

function target(form: TemplateForm): Lines {
  const n = provisioningNames;
  const matches = [matchAnyOf(n.actionCategory, n.actionName, 'provisioning')];
  if (form.serviceProvider !== undefined && form.serviceProvider !== '') {
    matches.unshift(matchAnyOf(n.spCategory, n.spName, form.serviceProvider));
  }
  if (form.identityProvider !== undefined && form.identityProvider !== '') {
    matches.unshift(matchAnyOf(n.idpCategory, n.idpName, form.identityProvider));
  }
  return ['<Target>', ...indent(matches.flat()), '</Target>'];
}

function matchAnyOf(category: string, id: string, value: string): Lines {
  return [
    '<AnyOf>',
    '  <AllOf>',
    `    <Match MatchId="${function1}string-equal">`,
    `      ${stringValue(value)}`,
    `      ${designator(category, id, types.string.id)}`,
    '    </Match>',
    '  </AllOf>',
    '</AnyOf>',
  ];
}

function removalRule(): Lines {
  const { provisioningCategory, operation } = provisioningNames;
  return [
    '<Rule RuleId="permit_removal" Effect="Permit">',
    '  <Target>',
    ...indent(indent(matchAnyOf(provisioningCategory, operation, 'DELETE'))),
    '  </Target>',
    '</Rule>',
  ];
}

function memberCondition(category: string, id: string, values: readonly string[]): Lines {
  return apply(`${function1}string-at-least-one-member-of`, [
    [designator(category, id, types.string.id)],
    apply(
      `${function1}string-bag`,
      values.map((value) => [stringValue(value)]),
    ),
  ]);
}

function timeCondition(form: TemplateForm): Lines {
  const now = apply(`${function1}time-one-and-only`, [
    [designator(environmentCategory, clockAttributes.time, types.time.id)],
  ]);
  return apply(`${function2}time-in-range`, [now, [timeValue(form.from, 'from')], [timeValue(form.to, 'to')]]);
}

function timeValue(given: string | undefined, field: string): string {
  const text = required(given, field, 'Give a time of day');
  const full = /^\d\d:\d\d$/.test(text) ? `${text}:00` : text;
  if (types.time.parse(full) === undefined) {
    throw new Problem('invalidValue', `"${text.slice(0, 40)}" is no time of day. Write it as 09:00 or 09:00:00.`, {
      field,
    });
  }
  return `<AttributeValue DataType="${types.time.id}">${full}</AttributeValue>`;
}

function stringValue(value: string): string {
  return `<AttributeValue DataType="${types.string.id}">${escapeText(value)}</AttributeValue>`;
}

function designator(category: string, id: string, dataType: string): string {
  return `<AttributeDesignator Category="${category}" AttributeId="${escapeAttribute(id)}" DataType="${dataType}" MustBePresent="false"/>`;
}

function apply(id: string, args: readonly Lines[]): Lines {
  return [`<Apply FunctionId="${id}">`, ...indent(args.flat()), '</Apply>'];
}

function indent(lines: Lines): Lines {
  return lines.map((line) => `  ${line}`);
}
