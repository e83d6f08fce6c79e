import {
  XmlElement as LibraryElement,
  ParseOption,
  XmlCData,
  XmlComment,
  XmlDocument,
  XmlLibError,
  XmlText,
  type XmlTreeNode,
} from 'libxml2-wasm';
import { defaultXmlLimits, scanXml, type XmlFault, type XmlLimits } from './scan.ts';
import type { XmlElement } from './tree.ts';

export type XmlRead =
  | { readonly ok: true; readonly root: XmlElement }
  | { readonly ok: false; readonly fault: XmlFault };

/** No external entity, no catalog; line numbers beyond 65,535. */
export const parseOptions = {
  option: (ParseOption.XML_PARSE_NO_XXE |
    ParseOption.XML_PARSE_NO_SYS_CATALOG |
    ParseOption.XML_PARSE_BIG_LINES) as ParseOption,
};

/**
 * Reads an XML 1.0 document with namespaces. Refused, with line and reason and never by throwing: what is not
 * well-formed, any document type declaration (so there are no entities but the five of XML itself), and whatever
 * exceeds the limits.
 */
export function readXml(text: string, limits: XmlLimits = defaultXmlLimits): XmlRead {
  const source = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  const scan = scanXml(source, limits);
  if (!('lines' in scan)) return { ok: false, fault: scan };
  let document: XmlDocument;
  try {
    document = XmlDocument.fromString(source, parseOptions);
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  }
  try {
    // The scan has refused every DOCTYPE; this is the parser's own word for it.
    if (document.dtd !== null) {
      return { ok: false, fault: { line: 1, reason: 'a document type declaration (DOCTYPE) is not accepted' } };
    }
    return { ok: true, root: takeElement(document.root, new Map(), scan.lines, { next: 0 }) };
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  } finally {
    document.dispose();
  }
}

/** As `readXml`, from bytes; only UTF-8 (with or without byte order mark) is read. */
export function readXmlBytes(bytes: Uint8Array, limits: XmlLimits = defaultXmlLimits): XmlRead {
  // A UTF-16 unit is at most three bytes of UTF-8: more bytes than that are too long however they decode.
  if (bytes.length > limits.maxLength * 3) {
    return { ok: false, fault: { line: 1, reason: `the document has ${bytes.length} bytes, which is too long` } };
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { ok: false, fault: { line: 1, reason: 'the document is not UTF-8' } };
  }
  return readXml(text, limits);
}

function faultOf(error: unknown): XmlFault {
  if (error instanceof XmlLibError) {
    const first = (error.details as { line?: number; message?: string }[] | undefined)?.[0];
    const reason = (first?.message ?? error.message).trim();
    return { line: first?.line && first.line > 0 ? first.line : 1, reason: `the XML is not well-formed: ${reason}` };
  }
  return { line: 1, reason: `the XML is not well-formed: ${error instanceof Error ? error.message : String(error)}` };
}

function takeElement(
  node: LibraryElement,
  outer: ReadonlyMap<string, string>,
  lines: readonly number[],
  position: { next: number },
): XmlElement {
  const line = lines[position.next++] ?? node.line;
  const declared = Object.entries(node.nsDeclarations);
  let scope = outer;
  if (declared.length > 0) {
    const inner = new Map(outer);
    for (const [prefix, uri] of declared) inner.set(prefix, uri);
    scope = inner;
  }
  const attributes = node.attrs.map((attribute) => ({
    namespace: attribute.namespaceUri,
    name: attribute.name,
    prefix: attribute.prefix,
    value: attribute.value,
  }));
  const children: (XmlElement | string)[] = [];
  let text = '';
  for (let child: XmlTreeNode | null = node.firstChild; child !== null; child = child.next) {
    if (child instanceof LibraryElement) {
      if (text !== '') children.push(text);
      text = '';
      children.push(takeElement(child, scope, lines, position));
    } else if (child instanceof XmlText || child instanceof XmlCData) {
      text += child.content;
    } else if (child instanceof XmlComment) {
      // A comment may stand inside a value; it does not part it.
    }
  }
  if (text !== '') children.push(text);
  return { namespace: node.namespaceUri, name: node.name, prefix: node.prefix, attributes, children, line, scope };
}
