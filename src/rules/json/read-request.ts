import { readXml } from '../../protocol/xml/read.ts';
import { readXPath } from '../compile-expression.ts';
import { type DataType, types } from '../datatypes/table.ts';
import { Refusal } from '../failure.ts';
import { xpathVersion1 } from '../identifiers.ts';
import { contentOf } from '../read-request.ts';
import type { RequestAttribute, RequestCategory, RequestContent, RequestValue, XacmlRequest } from '../request.ts';
import { isUri } from '../shape.ts';
import { dataTypeOf, shortCategories } from './names.ts';
import { JsonNumber, parseJson } from './parse.ts';

export type ReadJsonRequest =
  | { readonly ok: true; readonly request: XacmlRequest }
  /** The reason names the place, as `Request.AccessSubject[0].Attribute[1].Value`. */
  | { readonly ok: false; readonly reason: string };

/**
 * Reads a request in the JSON profile of XACML 3.0, version 1.1. Where a list may stand one object may stand too, as
 * version 1.0 and others write it. Whatever the profile does not know is refused.
 */
export function readJsonRequest(text: string): ReadJsonRequest {
  const parsed = parseJson(text);
  if (!parsed.ok) return parsed;
  try {
    const { Request } = fieldsOf(parsed.value, 'the body', ['Request']);
    return { ok: true, request: takeRequest(Request) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.message };
    throw error;
  }
}

const shorts = [...shortCategories.keys()];

function takeRequest(input: unknown): XacmlRequest {
  const known = ['ReturnPolicyIdList', 'CombinedDecision', 'XPathVersion', 'Category', ...shorts, 'MultiRequests'];
  const given = fieldsOf(input, 'Request', known);
  const version = optionalText(given.XPathVersion, 'Request.XPathVersion') ?? xpathVersion1;
  if (version !== xpathVersion1) refuse('Request.XPathVersion', `must be ${xpathVersion1}`);
  const categories = [
    ...listOf(given.Category, 'Request.Category').map(([one, at]) => readCategory(one, at)),
    ...shorts.flatMap((name) =>
      listOf(given[name], `Request.${name}`).map(([one, at]) => readCategory(one, at, shortCategories.get(name)!)),
    ),
  ];
  if (categories.length === 0) refuse('Request', 'asks about nothing: it has no Category');
  const ids = new Set<string>();
  for (const { xmlId } of categories) {
    if (xmlId === undefined) continue;
    if (ids.has(xmlId)) refuse('Request', `has two categories with the Id ${xmlId}`);
    ids.add(xmlId);
  }
  return {
    returnPolicyIds: flagOf(given.ReturnPolicyIdList, 'Request.ReturnPolicyIdList'),
    combinedDecision: flagOf(given.CombinedDecision, 'Request.CombinedDecision'),
    categories,
    references: given.MultiRequests === undefined ? undefined : readMulti(given.MultiRequests, ids),
  };
}

/** Sections 4.2.5 and 4.2.6. */
function readMulti(input: unknown, ids: ReadonlySet<string>): string[][] {
  const place = 'Request.MultiRequests';
  const { RequestReference } = fieldsOf(input, place, ['RequestReference']);
  return filledListOf(RequestReference, `${place}.RequestReference`).map(([reference, at]) => {
    const { ReferenceId } = fieldsOf(reference, at, ['ReferenceId']);
    return filledListOf(ReferenceId, `${at}.ReferenceId`).map(([id, where]) => {
      const text = textOf(id, where);
      return ids.has(text) ? text : refuse(where, `no category has the Id ${text}`);
    });
  });
}

/** Section 4.2.2. `category`: what the name of the member says. */
function readCategory(input: unknown, at: string, category?: string): RequestCategory {
  const own = category === undefined ? ['CategoryId'] : [];
  const given = fieldsOf(input, at, [...own, 'Id', 'Content', 'Attribute']);
  return {
    category: category ?? categoryOf(given.CategoryId, `${at}.CategoryId`),
    xmlId: optionalText(given.Id, `${at}.Id`),
    content: given.Content === undefined ? undefined : readContent(given.Content, `${at}.Content`),
    attributes: listOf(given.Attribute, `${at}.Attribute`).map(([one, where]) => readAttribute(one, where)),
  };
}

function categoryOf(input: unknown, at: string): string {
  const text = textOf(input, at);
  return shortCategories.get(text) ?? uriOf(text, at);
}

/** Section 4.2.3: XML, or XML in Base64, which has no `<`. */
function readContent(input: unknown, at: string): RequestContent {
  const text = textOf(input, at);
  const read = readXml(text.includes('<') ? text : decodeBase64(text, at));
  return read.ok ? contentOf(read.root) : refuse(at, `line ${read.fault.line}: ${read.fault.reason}`);
}

function decodeBase64(text: string, at: string): string {
  const packed = types.base64Binary.parse(text) ?? refuse(at, 'must be XML, or XML in Base64');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(packed as string, 'base64'));
  } catch {
    return refuse(at, 'must be XML in Base64, of UTF-8');
  }
}

/** Section 4.2.4. */
function readAttribute(input: unknown, at: string): RequestAttribute {
  const given = fieldsOf(input, at, ['AttributeId', 'Value', 'Issuer', 'DataType', 'IncludeInResult']);
  return {
    id: uriOf(given.AttributeId, `${at}.AttributeId`),
    issuer: optionalText(given.Issuer, `${at}.Issuer`),
    includeInResult: flagOf(given.IncludeInResult, `${at}.IncludeInResult`),
    values: readValues(given.Value, given.DataType, at),
  };
}

function readValues(input: unknown, dataType: unknown, at: string): RequestValue[] {
  const values = filledListOf(input, `${at}.Value`);
  const kinds = new Set(values.map(([value, where]) => kindOf(value, where)));
  const type = dataType === undefined ? inferType(values, kinds, at) : declaredType(dataType, `${at}.DataType`);
  return values.map(([value, where]) => ({ type, value: readValue(type, value, where) }));
}

type Kind = 'text' | 'number' | 'boolean' | 'object';

function kindOf(value: unknown, at: string): Kind {
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'boolean';
  if (value instanceof JsonNumber) return 'number';
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return 'object';
  return refuse(at, 'must be a text, a number, true or false, or an XPath expression');
}

/** Sections 3.3.1 and 3.3.2: of the values together, whole numbers being doubles beside others. */
function inferType(values: readonly [unknown, string][], kinds: ReadonlySet<Kind>, at: string): DataType {
  if (kinds.size > 1) refuse(`${at}.Value`, 'has values of several kinds, so it needs a DataType');
  if (kinds.has('text')) return types.string;
  if (kinds.has('boolean')) return types.boolean;
  if (kinds.has('object')) refuse(`${at}.DataType`, 'must be xpathExpression for a value that is an object');
  return values.every(([value]) => /^-?\d+$/.test((value as JsonNumber).text)) ? types.integer : types.double;
}

function declaredType(input: unknown, at: string): DataType | string {
  const text = textOf(input, at);
  const type = dataTypeOf(text);
  return type !== undefined && isUri(text) ? type : refuse(at, `${quote(text)} is no data type`);
}

const fitting: Readonly<Record<string, readonly Kind[]>> = {
  boolean: ['boolean', 'text'],
  integer: ['number', 'text'],
  double: ['number', 'text'],
  xpathExpression: ['object'],
};

function readValue(type: DataType | string, input: unknown, at: string): unknown {
  const name = typeof type === 'string' ? type : type.name;
  const kinds = (typeof type === 'string' ? undefined : fitting[name]) ?? ['text'];
  if (!kinds.includes(kindOf(input, at))) {
    refuse(at, `must be ${kinds.map((kind) => words[kind]).join(' or ')} to be ${name}`);
  }
  if (type === types.xpathExpression) return readExpression(input, at);
  const text = input instanceof JsonNumber ? input.text : String(input);
  if (typeof type === 'string') return text;
  return type.parse(text) ?? refuse(at, `${quote(text)} is no ${name}`);
}

const words: Record<Kind, string> = {
  text: 'a text',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object with XPathCategory and XPath',
};

/** Section 3.3.3. */
function readExpression(input: unknown, at: string): unknown {
  const { XPathCategory, Namespaces, XPath } = fieldsOf(input, at, ['XPathCategory', 'Namespaces', 'XPath']);
  const namespaces = listOf(Namespaces, `${at}.Namespaces`).map(([one, where]): [string, string] => {
    const { Prefix, Namespace } = fieldsOf(one, where, ['Prefix', 'Namespace']);
    return [optionalText(Prefix, `${where}.Prefix`) ?? '', textOf(Namespace, `${where}.Namespace`)];
  });
  const syntax = {
    kind: 'value',
    line: 1,
    dataType: types.xpathExpression.id,
    text: textOf(XPath, `${at}.XPath`),
    xpathCategory: categoryOf(XPathCategory, `${at}.XPathCategory`),
    namespaces: new Map(namespaces),
  } as const;
  try {
    return readXPath(syntax);
  } catch (error) {
    if (error instanceof Refusal) refuse(`${at}.XPath`, error.message);
    throw error;
  }
}

function refuse(at: string, why: string): never {
  throw new Refusal(1, `${at}: ${why}`);
}

function quote(text: string): string {
  return `"${text.slice(0, 80)}"`;
}

/** Section 3.2.4: what has no value is left out. */
function fieldsOf(value: unknown, at: string, known: readonly string[]): Record<string, unknown> {
  if (value === undefined) refuse(at, 'is missing');
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof JsonNumber) {
    refuse(at, 'must be an object');
  }
  for (const [key, own] of Object.entries(value)) {
    if (!known.includes(key)) refuse(at, `has no ${quote(key)}; known are ${known.join(', ')}`);
    if (own === null) refuse(`${at}.${key}`, 'is null; what has no value is left out');
  }
  return value as Record<string, unknown>;
}

/** Each with its place. */
function listOf(value: unknown, at: string): [unknown, string][] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map((one, n) => [one, `${at}[${n}]`]) : [[value, at]];
}

/** Section 3.2.3. */
function filledListOf(value: unknown, at: string): [unknown, string][] {
  const list = listOf(value, at);
  return list.length > 0 ? list : refuse(at, value === undefined ? 'is missing' : 'is empty');
}

function textOf(value: unknown, at: string): string {
  if (value === undefined) refuse(at, 'is missing');
  return typeof value === 'string' ? value : refuse(at, 'must be a text');
}

function optionalText(value: unknown, at: string): string | undefined {
  return value === undefined ? undefined : textOf(value, at);
}

function uriOf(value: unknown, at: string): string {
  const text = textOf(value, at).trim();
  return text !== '' && isUri(text) ? text : refuse(at, `${quote(text)} is not a URI`);
}

function flagOf(value: unknown, at: string): boolean {
  if (value === undefined) return false;
  return typeof value === 'boolean' ? value : refuse(at, 'must be true or false');
}
