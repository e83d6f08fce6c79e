import { readXml } from '../protocol/xml/read.ts';
import { defaultXmlLimits, type XmlLimits } from '../protocol/xml/scan.ts';
import { childElements, type XmlElement } from '../protocol/xml/tree.ts';
import { writeElement } from '../protocol/xml/write.ts';
import { readXPath } from './compile-expression.ts';
import { findDataType, types } from './datatypes/table.ts';
import { Refusal } from './failure.ts';
import { namespace, xpathVersion1 } from './identifiers.ts';
import { readValue } from './read-expression.ts';
import type { RequestAttribute, RequestCategory, RequestContent, RequestValue, XacmlRequest } from './request.ts';
import { isBlank, readText, Shape } from './shape.ts';

export type ReadRequest =
  | { readonly ok: true; readonly request: XacmlRequest }
  | { readonly ok: false; readonly line: number; readonly reason: string };

/** Reads an XACML 3.0 `<Request>` and checks its structure and its values. */
export function readRequest(text: string, limits: XmlLimits = defaultXmlLimits): ReadRequest {
  const read = readXml(text, limits);
  if (!read.ok) return { ok: false, ...read.fault };
  try {
    return { ok: true, request: takeRequest(read.root) };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, line: error.line, reason: error.message };
    throw error;
  }
}

function takeRequest(root: XmlElement): XacmlRequest {
  if (root.namespace !== namespace || root.name !== 'Request') {
    throw new Refusal(root.line, `the document must be a <Request> of XACML 3.0 (${namespace})`);
  }
  const shape = new Shape(root, { ReturnPolicyIdList: 'boolean!', CombinedDecision: 'boolean!' });
  const defaults = shape.take('RequestDefaults');
  if (defaults !== undefined) {
    const inner = new Shape(defaults, {});
    const version = readText(inner.require('XPathVersion')).trim();
    inner.end();
    if (version !== xpathVersion1)
      throw new Refusal(defaults.line, `XPath version ${version.slice(0, 100)} is not supported`);
  }
  const categories = shape.requireAll('Attributes').map(readCategory);
  const multi = shape.take('MultiRequests');
  shape.end();
  const ids = new Set<string>();
  for (const { xmlId } of categories) {
    if (xmlId === undefined) continue;
    if (ids.has(xmlId)) throw new Refusal(root.line, `two <Attributes> have the xml:id ${xmlId}`);
    ids.add(xmlId);
  }
  return {
    returnPolicyIds: shape.boolean('ReturnPolicyIdList'),
    combinedDecision: shape.boolean('CombinedDecision'),
    categories,
    references: multi === undefined ? undefined : readMulti(multi, ids),
  };
}

function readMulti(element: XmlElement, ids: ReadonlySet<string>): string[][] {
  const multi = new Shape(element, {});
  const references = multi.requireAll('RequestReference').map((referenceElement) => {
    const reference = new Shape(referenceElement, {});
    const refs = reference.requireAll('AttributesReference').map((child) => {
      const shape = new Shape(child, { ReferenceId: 'string!' });
      shape.end();
      const id = shape.text('ReferenceId').trim();
      if (!ids.has(id)) throw new Refusal(child.line, `no <Attributes> has the xml:id ${id}`);
      return id;
    });
    reference.end();
    return refs;
  });
  multi.end();
  return references;
}

export function readCategory(element: XmlElement): RequestCategory {
  const shape = new Shape(element, { Category: 'uri!', 'xml:id': 'string' });
  const contentElement = shape.take('Content');
  const attributes = shape.takeAll('Attribute').map(readAttribute);
  shape.end();
  return {
    category: shape.uri('Category'),
    xmlId: element.attributes.find((a) => a.prefix === 'xml' && a.name === 'id')?.value.trim(),
    content: contentElement === undefined ? undefined : readContent(contentElement),
    attributes,
  };
}

function readAttribute(element: XmlElement): RequestAttribute {
  const shape = new Shape(element, { AttributeId: 'uri!', Issuer: 'string', IncludeInResult: 'boolean!' });
  const values = shape.requireAll('AttributeValue').map(readRequestValue);
  shape.end();
  return {
    id: shape.uri('AttributeId'),
    issuer: shape.optionalText('Issuer'),
    includeInResult: shape.boolean('IncludeInResult'),
    values,
  };
}

function readRequestValue(element: XmlElement): RequestValue {
  const syntax = readValue(element);
  const type = findDataType(syntax.dataType);
  if (type === undefined) return { type: syntax.dataType, value: syntax.text };
  if (type === types.xpathExpression) return { type, value: readXPath(syntax) };
  const value = type.parse(syntax.text);
  if (value === undefined) throw new Refusal(element.line, `"${syntax.text.slice(0, 80)}" is no ${type.name}`);
  return { type, value };
}

/** `<Content>` holds exactly one element, which becomes the root of a document of its own (section 7.3.7). */
function readContent(element: XmlElement): RequestContent {
  if (element.children.some((child) => typeof child === 'string' && !isBlank(child))) {
    throw new Refusal(element.line, '<Content> may hold no text beside its element');
  }
  const [root, second] = childElements(element);
  if (root === undefined || second !== undefined)
    throw new Refusal(element.line, '<Content> must hold exactly one element');
  return contentOf(root);
}

/** The document of which this is the root. */
export function contentOf(root: XmlElement): RequestContent {
  return { xml: writeElement(root), nodeCount: countNodes(root) + 1 };
}

function countNodes(element: XmlElement): number {
  let count = 1 + element.attributes.length;
  for (const child of element.children) count += typeof child === 'string' ? 1 : countNodes(child);
  return count;
}
