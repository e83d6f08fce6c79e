import { type DataType, types, type XPathValue } from '../datatypes/table.ts';
import type { DecisionResult } from '../evaluate.ts';
import type { Failure } from '../failure.ts';
import { statusCodes } from '../identifiers.ts';
import type { RequestAttribute, RequestCategory, RequestValue } from '../request.ts';
import type { Notice } from '../verdict.ts';

type Json = Readonly<Record<string, unknown>>;

/** Writes results as a response in the JSON profile of XACML 3.0, version 1.1: lists are lists, whatever is empty is left out. */
export function writeJsonResponse(results: readonly DecisionResult[]): string {
  return `${JSON.stringify({ Response: results.map(writeResult) })}\n`;
}

function writeResult(result: DecisionResult): Json {
  const policies = result.policies ?? [];
  const list = (kind: 'policy' | 'policySet') =>
    policies.filter((one) => one.kind === kind).map(({ id, version }) => ({ Id: id, Version: version }));
  return {
    Decision: result.decision,
    Status: writeStatus(result.failure),
    ...unlessEmpty('Obligations', result.obligations.map(writeNotice)),
    ...unlessEmpty('AssociatedAdvice', result.advice.map(writeNotice)),
    ...unlessEmpty('Category', result.included.map(writeCategory)),
    ...(policies.length === 0
      ? {}
      : {
          PolicyIdentifierList: {
            ...unlessEmpty('PolicyIdReference', list('policy')),
            ...unlessEmpty('PolicySetIdReference', list('policySet')),
          },
        }),
  };
}

function unlessEmpty(name: string, list: readonly Json[]): Json {
  return list.length === 0 ? {} : { [name]: list };
}

/** Sections 5.2.3 to 5.2.5. */
function writeStatus(failure: Failure | undefined): Json {
  if (failure === undefined) return { StatusCode: { Value: statusCodes.ok } };
  const { code, message, missing } = failure;
  const detail = missing && {
    Category: missing.category,
    AttributeId: missing.attributeId,
    DataType: missing.dataType,
    ...(missing.issuer === undefined ? {} : { Issuer: missing.issuer }),
  };
  return {
    StatusMessage: message,
    StatusCode: { Value: code },
    ...(detail ? { StatusDetail: [detail] } : {}),
  };
}

/** Sections 5.2.8 and 5.2.9. */
function writeNotice({ id, assignments }: Notice): Json {
  const list = assignments.map(({ attributeId, category, issuer, type, value }) => ({
    AttributeId: attributeId,
    ...(category === undefined ? {} : { Category: category }),
    ...(issuer === undefined ? {} : { Issuer: issuer }),
    DataType: type.id,
    Value: writeValue(type, value),
  }));
  return { Id: id, ...unlessEmpty('AttributeAssignment', list) };
}

function writeCategory({ category, xmlId, attributes }: RequestCategory): Json {
  return {
    CategoryId: category,
    ...(xmlId === undefined ? {} : { Id: xmlId }),
    ...unlessEmpty('Attribute', attributes.flatMap(writeAttribute)),
  };
}

/** XML may mix types within one attribute; JSON has one for all its values. */
function writeAttribute({ id, issuer, includeInResult, values }: RequestAttribute): Json[] {
  const byType = new Map<DataType | string, RequestValue[]>();
  for (const one of values) byType.set(one.type, [...(byType.get(one.type) ?? []), one]);
  return [...byType].map(([type, own]) => ({
    AttributeId: id,
    ...(issuer === undefined ? {} : { Issuer: issuer }),
    IncludeInResult: includeInResult,
    DataType: typeof type === 'string' ? type : type.id,
    Value: own.map((one) => writeValue(type, one.value)),
  }));
}

/** As JSON has it where nothing is lost by that, else as XACML writes it (sections 3.3.1 and 3.3.4). */
function writeValue(type: DataType | string, value: unknown): unknown {
  if (typeof type === 'string') return String(value);
  if (type === types.boolean) return value;
  if (type === types.integer && Number.isSafeInteger(Number(value))) return Number(value);
  if (type === types.double && Number.isFinite(value) && !Object.is(value, -0)) return value;
  if (type === types.xpathExpression) return writeExpression(value as XPathValue);
  return type.print(value);
}

/** Section 3.3.3. */
function writeExpression({ path, category, namespaces }: XPathValue): Json {
  const list = [...namespaces]
    .filter(([prefix]) => prefix !== 'xml')
    .map(([prefix, uri]) => ({ ...(prefix === '' ? {} : { Prefix: prefix }), Namespace: uri }));
  return { XPathCategory: category, ...unlessEmpty('Namespaces', list), XPath: path };
}
