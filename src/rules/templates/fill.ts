import { Problem } from '../../base/problem.ts';
import { escapeText } from '../../protocol/xml/write.ts';
import { types } from '../datatypes/table.ts';
import { clockAttributes, environmentCategory } from '../identifiers.ts';
import { provisioningNames } from '../provisioning-request.ts';
import { removalsSentence, sayOtherwise, sayRow } from '../rows/say.ts';
import {
  apply,
  attributeValue,
  designator,
  function1,
  function2,
  indent,
  join,
  type Lines,
  matchAnyOf,
  memberCondition,
  writePolicy,
  writeTarget,
} from '../write-policy.ts';
import { type TemplateForm, templates } from './form.ts';
import { rowOf } from './rows.ts';

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
  const row = rowOf(form);
  return writePolicy(policyId, version, form.description ?? template.explains, [
    ...target(form),
    ...(form.removals === 'as-other-operations' ? [] : removalRule()),
    '<Rule RuleId="permit_when_conditions_hold" Effect="Permit">',
    `  ${describe(sayRow(row))}`,
    '  <Condition>',
    ...indent(indent(join('and', conditions))),
    '  </Condition>',
    '</Rule>',
    '<Rule RuleId="deny_others" Effect="Deny">',
    `  ${describe(sayOtherwise([row]))}`,
    '</Rule>',
  ]);
}

/** What reasons say. */
function describe(says: string): string {
  return `<Description>${escapeText(says)}</Description>`;
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
  const matches: Lines[] = [];
  if (form.identityProvider !== undefined && form.identityProvider !== '') {
    matches.push(matchAnyOf(n.idpCategory, n.idpName, [form.identityProvider]));
  }
  if (form.serviceProvider !== undefined && form.serviceProvider !== '') {
    matches.push(matchAnyOf(n.spCategory, n.spName, [form.serviceProvider]));
  }
  return writeTarget(matches);
}

function removalRule(): Lines {
  const { provisioningCategory, operation } = provisioningNames;
  return [
    '<Rule RuleId="permit_removal" Effect="Permit">',
    `  ${describe(removalsSentence)}`,
    '  <Target>',
    ...indent(indent(matchAnyOf(provisioningCategory, operation, ['DELETE']))),
    '  </Target>',
    '</Rule>',
  ];
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
  return attributeValue('time', full);
}
