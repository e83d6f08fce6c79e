import { escapeAttribute, escapeText } from '../protocol/xml/write.ts';
import { type DataType, types, type XPathValue } from './datatypes/table.ts';
import type { DecisionResult } from './evaluate.ts';
import type { Failure } from './failure.ts';
import { namespace, statusCodes } from './identifiers.ts';
import type { RequestCategory } from './request.ts';
import type { Notice } from './verdict.ts';

/** Writes results as an XACML 3.0 `<Response>` document. */
export function writeResponse(results: readonly DecisionResult[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Response xmlns="${namespace}">${results.map(writeResult).join('')}</Response>\n`;
}

function writeResult(result: DecisionResult): string {
  const policies = result.policies ?? [];
  const list = policies.map(({ kind, id, version }) => {
    const name = kind === 'policy' ? 'PolicyIdReference' : 'PolicySetIdReference';
    return `<${name} Version="${escapeAttribute(version)}">${escapeText(id)}</${name}>`;
  });
  return [
    '<Result>',
    `<Decision>${result.decision}</Decision>`,
    writeStatus(result.failure),
    writeNotices('Obligations', 'Obligation', result.obligations),
    writeNotices('AssociatedAdvice', 'Advice', result.advice),
    ...result.included.map(writeCategory),
    list.length === 0 ? '' : `<PolicyIdentifierList>${list.join('')}</PolicyIdentifierList>`,
    '</Result>',
  ].join('');
}

function writeStatus(failure: Failure | undefined): string {
  if (failure === undefined) return `<Status><StatusCode Value="${statusCodes.ok}"/></Status>`;
  const { missing } = failure;
  let detail = '';
  if (missing !== undefined) {
    const issuer = missing.issuer === undefined ? '' : ` Issuer="${escapeAttribute(missing.issuer)}"`;
    detail =
      `<StatusDetail><MissingAttributeDetail Category="${escapeAttribute(missing.category)}"` +
      ` AttributeId="${escapeAttribute(missing.attributeId)}" DataType="${escapeAttribute(missing.dataType)}"${issuer}/></StatusDetail>`;
  }
  const message = `<StatusMessage>${escapeText(failure.message)}</StatusMessage>`;
  return `<Status><StatusCode Value="${escapeAttribute(failure.code)}"/>${message}${detail}</Status>`;
}

function writeNotices(list: string, name: string, notices: readonly Notice[]): string {
  if (notices.length === 0) return '';
  const items = notices.map((notice) => {
    const assignments = notice.assignments.map(({ attributeId, category, issuer, type, value }) => {
      const more =
        ` AttributeId="${escapeAttribute(attributeId)}"` +
        (category === undefined ? '' : ` Category="${escapeAttribute(category)}"`) +
        (issuer === undefined ? '' : ` Issuer="${escapeAttribute(issuer)}"`);
      return writeTyped('AttributeAssignment', more, type, value);
    });
    return `<${name} ${name}Id="${escapeAttribute(notice.id)}">${assignments.join('')}</${name}>`;
  });
  return `<${list}>${items.join('')}</${list}>`;
}

function writeCategory({ category, xmlId, attributes }: RequestCategory): string {
  const id = xmlId === undefined ? '' : ` xml:id="${escapeAttribute(xmlId)}"`;
  const inner = attributes.map((attribute) => {
    const issuer = attribute.issuer === undefined ? '' : ` Issuer="${escapeAttribute(attribute.issuer)}"`;
    const values = attribute.values.map(({ type, value }) => writeTyped('AttributeValue', '', type, value));
    return (
      `<Attribute AttributeId="${escapeAttribute(attribute.id)}"${issuer}` +
      ` IncludeInResult="${attribute.includeInResult}">${values.join('')}</Attribute>`
    );
  });
  return `<Attributes Category="${escapeAttribute(category)}"${id}>${inner.join('')}</Attributes>`;
}

function writeTyped(name: string, more: string, type: DataType | string, value: unknown): string {
  if (typeof type === 'string') {
    return `<${name}${more} DataType="${escapeAttribute(type)}">${escapeText(String(value))}</${name}>`;
  }
  let attributes = `${more} DataType="${escapeAttribute(type.id)}"`;
  if (type === types.xpathExpression) {
    const path = value as XPathValue;
    attributes += ` XPathCategory="${escapeAttribute(path.category)}"`;
    for (const [prefix, uri] of path.namespaces) {
      if (prefix !== '' && prefix !== 'xml') attributes += ` xmlns:${prefix}="${escapeAttribute(uri)}"`;
    }
  }
  return `<${name}${attributes}>${escapeText(type.print(value))}</${name}>`;
}
