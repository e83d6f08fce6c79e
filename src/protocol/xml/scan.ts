/** What is wrong with an XML text, and on which line (from 1). */
export interface XmlFault {
  readonly line: number;
  readonly reason: string;
}

export interface XmlLimits {
  /** Longest text, in UTF-16 code units. */
  readonly maxLength: number;
  /** Deepest nesting of elements; the root is at depth 1. */
  readonly maxDepth: number;
  /** Most elements and attributes together. */
  readonly maxNodes: number;
}

export const defaultXmlLimits: XmlLimits = { maxLength: 2 ** 20, maxDepth: 100, maxNodes: 100_000 };

const declaredEncoding = /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']/;

/**
 * One cheap pass before any parser sees the text: refuses what must never reach it (a document type declaration in any
 * form, too long, too deep, too many nodes) and notes the line of each start tag. It does not check well-formedness:
 * text it cannot follow is left to the parser, which refuses it. Linear in the length of the text.
 */
export function scanXml(text: string, limits: XmlLimits): { readonly lines: number[] } | XmlFault {
  if (text.length > limits.maxLength) {
    return { line: 1, reason: `the document has ${text.length} characters; at most ${limits.maxLength} are read` };
  }
  if (!text.isWellFormed()) return { line: 1, reason: 'the text is not Unicode: it holds half a surrogate pair' };
  const encoding = declaredEncoding.exec(text)?.[1];
  if (encoding !== undefined && !/^(utf-8|us-ascii)$/i.test(encoding)) {
    return { line: 1, reason: `the document declares the encoding ${encoding}; only UTF-8 is read` };
  }
  const lines: number[] = [];
  let depth = 0;
  let nodes = 0;
  let line = 1;
  let counted = 0;
  let at = text.indexOf('<');
  while (at !== -1) {
    for (let end = text.indexOf('\n', counted); end !== -1 && end < at; end = text.indexOf('\n', counted)) {
      line++;
      counted = end + 1;
    }
    let end: number;
    if (text.startsWith('<!--', at)) end = after(text, '-->', at + 4);
    else if (text.startsWith('<![CDATA[', at)) end = after(text, ']]>', at + 9);
    else if (text.startsWith('<?', at)) end = after(text, '?>', at + 2);
    else if (text.startsWith('<!', at))
      return { line, reason: 'a document type declaration (DOCTYPE) is not accepted' };
    else if (text.startsWith('</', at)) {
      depth--;
      end = after(text, '>', at + 2);
    } else {
      const tag = endOfTag(text, at + 1);
      end = tag.end;
      lines.push(line);
      nodes += 1 + tag.attributes;
      if (depth + 1 > limits.maxDepth) return { line, reason: `elements are nested deeper than ${limits.maxDepth}` };
      if (nodes > limits.maxNodes) return { line, reason: `more than ${limits.maxNodes} elements and attributes` };
      if (text[end - 2] !== '/') depth++;
    }
    if (end === 0) break;
    at = text.indexOf('<', end);
  }
  return { lines };
}

/** Index behind the next `mark`, or 0 when there is none. */
function after(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at === -1 ? 0 : at + mark.length;
}

function endOfTag(text: string, from: number): { end: number; attributes: number } {
  let attributes = 0;
  let quote = 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quote !== 0) {
      if (code === quote) quote = 0;
    } else if (code === 34 || code === 39) {
      quote = code;
      attributes++;
    } else if (code === 62) return { end: i + 1, attributes };
  }
  return { end: 0, attributes };
}
