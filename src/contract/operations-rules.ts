import { Type } from 'typebox';
import { given, type Operation, one } from './operation.ts';
import {
  FilledRows,
  FilledTemplate,
  FillRowsInput,
  FillTemplateInput,
  RuleAttributes,
  RulePolicyAnswer,
  RulePolicyInput,
  RulePolicyList,
  RulePolicyVersions,
  RuleTemplateList,
  TryRulesAnswer,
  TryRulesInput,
} from './policy.ts';
import { XacmlJsonRequest, XacmlJsonResponse } from './xacml-json.ts';

/** The policies that rules are decided by, and ways to ask them. */
export const rulesOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/policies',
    summary: 'The policies that rules are decided by',
    answers: { 200: RulePolicyList },
  },
  {
    method: 'post',
    path: '/policies',
    summary: 'Add a policy; refused, with the line, if it and the others cannot be in force together',
    body: given(RulePolicyInput),
    answers: { 201: RulePolicyAnswer },
    is: 'configures',
  },
  ...one('/policies/{id}', 'a policy', RulePolicyInput, RulePolicyAnswer),
  {
    method: 'get',
    path: '/policies/{id}/versions',
    summary: 'What a policy was before, the latest first',
    answers: { 200: RulePolicyVersions },
  },
  {
    method: 'post',
    path: '/policies/try',
    summary: 'Ask the rules about one operation; nothing is sent',
    body: given(TryRulesInput),
    answers: { 200: TryRulesAnswer },
    needs: 'read',
  },
  { method: 'get', path: '/policy-templates', summary: 'Ready-made policies', answers: { 200: RuleTemplateList } },
  {
    method: 'post',
    path: '/policy-templates/fill',
    summary: 'The policy that a filled-in form describes; it is not saved',
    body: given(FillTemplateInput),
    answers: { 200: FilledTemplate },
    needs: 'read',
  },
  {
    method: 'get',
    path: '/policy-attributes',
    summary: 'The attributes and claims that conditions can be about',
    answers: { 200: RuleAttributes },
  },
  {
    method: 'post',
    path: '/policy-rows/fill',
    summary:
      'The policy that rows make, or what keeps them from being one, and each row in a sentence; it is not saved',
    body: given(FillRowsInput),
    answers: { 200: FilledRows },
    needs: 'read',
  },
  {
    method: 'post',
    path: '/pdp',
    summary: 'Decide an XACML 3.0 request by the policies in force, in XML or in the JSON profile',
    body: given(Type.String()),
    answers: { 200: Type.String() },
    media: 'application/xacml+xml',
    also: { media: 'application/xacml+json', body: XacmlJsonRequest, answer: XacmlJsonResponse },
    needs: 'read',
  },
];
