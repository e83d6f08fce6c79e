/**
 * An XML element as plain data. Comments and processing instructions are left out; text, CDATA and character
 * references are joined into strings, so two strings never stand side by side in `children`.
 */
export interface XmlElement {
  readonly namespace: string;
  readonly name: string;
  readonly prefix: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly (XmlElement | string)[];
  /** Line of the start tag's `<`, counted from 1. */
  readonly line: number;
  /** Namespace prefixes in scope here (prefix -> URI; the default namespace under the empty prefix). */
  readonly scope: ReadonlyMap<string, string>;
}

export interface XmlAttribute {
  readonly namespace: string;
  readonly name: string;
  readonly prefix: string;
  readonly value: string;
}

/** The attribute of that name in no namespace. */
export function attributeOf(element: XmlElement, name: string): string | undefined {
  for (const attribute of element.attributes) {
    if (attribute.name === name && attribute.namespace === '') return attribute.value;
  }
  return undefined;
}

export function childElements(element: XmlElement): XmlElement[] {
  return element.children.filter((child): child is XmlElement => typeof child !== 'string');
}

/** All text below the element, in document order. */
export function textOf(element: XmlElement): string {
  let text = '';
  for (const child of element.children) text += typeof child === 'string' ? child : textOf(child);
  return text;
}
