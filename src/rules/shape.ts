import { attributeOf, type XmlElement } from '../protocol/xml/tree.ts';
import { Refusal } from './failure.ts';
import { namespace } from './identifiers.ts';

const schemaInstance = 'http://www.w3.org/2001/XMLSchema-instance';

type AttributeKind = 'uri' | 'string' | 'boolean' | 'integer' | 'version' | 'versionMatch' | 'effect';
/** Allowed attributes: kind, with `!` behind it when required. */
type AttributeShape = Readonly<Record<string, AttributeKind | `${AttributeKind}!`>>;

const lexical: Readonly<Record<AttributeKind, { test: (text: string) => boolean; is: string }>> = {
  uri: { test: (text) => isUri(text.trim()), is: 'a URI' },
  string: { test: () => true, is: 'text' },
  boolean: { test: (text) => /^\s*(?:true|false|0|1)\s*$/.test(text), is: 'true or false' },
  integer: { test: (text) => /^\s*[+-]?\d+\s*$/.test(text), is: 'an integer' },
  version: { test: (text) => /^(?:\d+\.)*\d+$/.test(text), is: 'a version such as 1.0' },
  versionMatch: { test: (text) => /^(?:(?:\d+|\*)\.)*(?:\d+|\*|\+)$/.test(text), is: 'a version pattern such as 1.*' },
  effect: { test: (text) => text === 'Permit' || text === 'Deny', is: 'Permit or Deny' },
};

/**
 * `xs:anyURI` takes nearly every text, since what a URI cannot hold counts as escaped; it refuses bad escapes, brackets
 * outside a host, a second fragment, and a colon before which there is no scheme.
 */
export function isUri(text: string): boolean {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return false;
  if (/[[\]]/.test(text) && !/^[^[\]/?#]*\/\/(?:[^[\]/?#]*@)?\[[0-9a-fA-F:.]+\](?::\d*)?(?:[/?#][^[\]]*)?$/.test(text))
    return false;
  if (text.indexOf('#') !== text.lastIndexOf('#')) return false;
  const first = /^[^/?#]*/.exec(text)![0];
  return !first.includes(':') || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(first);
}

/**
 * Walks the children of one element of the XACML schema in order, refusing whatever the schema would: unknown or
 * misplaced elements and attributes, missing ones, text where none may stand. What it reads it has checked.
 */
export class Shape {
  readonly element: XmlElement;
  readonly #children: readonly XmlElement[];
  #at = 0;

  constructor(element: XmlElement, attributes: AttributeShape) {
    this.element = element;
    checkAttributes(element, attributes);
    const children: XmlElement[] = [];
    for (const child of element.children) {
      if (typeof child !== 'string') children.push(child);
      else if (!isBlank(child)) throw new Refusal(element.line, `<${element.name}> may not hold text`);
    }
    this.#children = children;
  }

  /** The next child when it is called so. */
  take(...names: string[]): XmlElement | undefined {
    const child = this.#children[this.#at];
    if (child === undefined || child.namespace !== namespace || !names.includes(child.name)) return undefined;
    this.#at++;
    return child;
  }

  takeAll(...names: string[]): XmlElement[] {
    const out: XmlElement[] = [];
    for (let child = this.take(...names); child !== undefined; child = this.take(...names)) out.push(child);
    return out;
  }

  require(...names: string[]): XmlElement {
    return this.take(...names) ?? this.#refuse(names.map((name) => `<${name}>`).join(' or '));
  }

  /** At least one. */
  requireAll(...names: string[]): XmlElement[] {
    return [this.require(...names), ...this.takeAll(...names)];
  }

  end(): void {
    if (this.#at < this.#children.length) this.#refuse('nothing more');
  }

  text(name: string): string {
    return attributeOf(this.element, name)!;
  }

  /** URIs and numbers are read without the white space around them. */
  uri(name: string): string {
    return attributeOf(this.element, name)!.trim();
  }

  optionalUri(name: string): string | undefined {
    return attributeOf(this.element, name)?.trim();
  }

  optionalText(name: string): string | undefined {
    return attributeOf(this.element, name);
  }

  boolean(name: string): boolean {
    return readBoolean(attributeOf(this.element, name)!);
  }

  #refuse(expected: string): never {
    const next = this.#children[this.#at];
    const found = next === undefined ? 'its end' : nameOf(next);
    const line = next?.line ?? this.element.line;
    throw new Refusal(line, `in <${this.element.name}>, ${expected} must come where ${found} stands`);
  }
}

function nameOf(element: XmlElement): string {
  return element.namespace === namespace
    ? `<${element.name}>`
    : `<${element.name}> of the namespace "${element.namespace}"`;
}

function readBoolean(text: string): boolean {
  const trimmed = text.trim();
  return trimmed === 'true' || trimmed === '1';
}

export function isBlank(text: string): boolean {
  return !/[^ \t\r\n]/.test(text);
}

/** `other`: attributes beside these may stand (as in `<AttributeValue>`). */
export function checkAttributes(
  element: XmlElement,
  shape: AttributeShape,
  other: 'refused' | 'allowed' = 'refused',
): void {
  for (const attribute of element.attributes) {
    if (
      attribute.namespace === schemaInstance &&
      /^(?:type|nil|schemaLocation|noNamespaceSchemaLocation)$/.test(attribute.name)
    ) {
      if (attribute.name === 'type' || attribute.name === 'nil') {
        throw new Refusal(element.line, `<${element.name}> may not carry xsi:${attribute.name}`);
      }
      continue;
    }
    const key = attribute.prefix === 'xml' ? `xml:${attribute.name}` : attribute.name;
    const kind = attribute.namespace === '' || attribute.prefix === 'xml' ? shape[key] : undefined;
    if (kind === undefined || !Object.hasOwn(shape, key)) {
      if (other === 'allowed') continue;
      throw new Refusal(
        element.line,
        `<${element.name}> has no attribute ${attribute.prefix === '' ? '' : `${attribute.prefix}:`}${attribute.name}`,
      );
    }
    const { test, is } = lexical[kind.replace('!', '') as AttributeKind];
    if (!test(attribute.value)) {
      throw new Refusal(
        element.line,
        `${attribute.name}="${attribute.value.slice(0, 80)}" of <${element.name}> is not ${is}`,
      );
    }
  }
  for (const [name, kind] of Object.entries(shape)) {
    if (kind.endsWith('!') && attributeOf(element, name) === undefined) {
      throw new Refusal(element.line, `<${element.name}> lacks the attribute ${name}`);
    }
  }
}

/** The text of an element that may hold nothing else. */
export function readText(element: XmlElement, attributes: AttributeShape = {}): string {
  checkAttributes(element, attributes);
  let text = '';
  for (const child of element.children) {
    if (typeof child !== 'string')
      throw new Refusal(child.line, `<${element.name}> may hold only text, not ${nameOf(child)}`);
    text += child;
  }
  return text;
}
