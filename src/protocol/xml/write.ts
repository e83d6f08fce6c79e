import type { XmlElement } from './tree.ts';

/** Text for element content. Characters XML 1.0 cannot carry become U+FFFD. */
export function escapeText(text: string): string {
  return clean(text).replace(/[&<>\r]/g, (c) =>
    c === '&' ? '&amp;' : c === '<' ? '&lt;' : c === '>' ? '&gt;' : '&#13;',
  );
}

/** Text for an attribute value in double quotes. */
export function escapeAttribute(text: string): string {
  return clean(text).replace(/[&<"\t\n\r]/g, (c) =>
    c === '&' ? '&amp;' : c === '<' ? '&lt;' : c === '"' ? '&quot;' : `&#${c.charCodeAt(0)};`,
  );
}

function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters XML 1.0 forbids
  return text.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd');
}

/**
 * Writes an element read by `readXml` with the namespaces it had, so that it stands alone. `outer` is what the place
 * it is written to already declares.
 */
export function writeElement(element: XmlElement, outer: ReadonlyMap<string, string> = new Map()): string {
  const name = element.prefix === '' ? element.name : `${element.prefix}:${element.name}`;
  let out = `<${name}`;
  for (const [prefix, uri] of element.scope) {
    if (outer.get(prefix) === uri || prefix === 'xml' || (uri === '' && !outer.has(prefix))) continue;
    out += prefix === '' ? ` xmlns="${escapeAttribute(uri)}"` : ` xmlns:${prefix}="${escapeAttribute(uri)}"`;
  }
  for (const attribute of element.attributes) {
    const key = attribute.prefix === '' ? attribute.name : `${attribute.prefix}:${attribute.name}`;
    out += ` ${key}="${escapeAttribute(attribute.value)}"`;
  }
  if (element.children.length === 0) return `${out}/>`;
  out += '>';
  for (const child of element.children) {
    out += typeof child === 'string' ? escapeText(child) : writeElement(child, element.scope);
  }
  return `${out}</${name}>`;
}
