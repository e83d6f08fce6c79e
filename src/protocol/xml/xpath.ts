import {
  XmlElement as LibraryElement,
  XmlAttribute,
  XmlCData,
  XmlComment,
  XmlDocument,
  type XmlNode,
  XmlText,
  XmlXPath,
} from 'libxml2-wasm';
import { parseOptions } from './read.ts';

export type Namespaces = ReadonlyMap<string, string>;

export interface SelectedNode {
  readonly kind: 'element' | 'attribute' | 'text' | 'comment' | 'other';
  /** String value of the node (XPath 1.0 section 5). */
  readonly value: string;
}

export type Selection =
  | { readonly kind: 'nodes'; readonly nodes: readonly SelectedNode[] }
  | { readonly kind: 'value'; readonly value: string | number | boolean }
  | { readonly kind: 'fault'; readonly reason: string };

/** An XML document held open for XPath 1.0. It holds memory outside the JavaScript heap until `close`. */
export interface XPathDocument {
  /** An upper estimate of the work an expression takes here, in looks at a node. */
  workOf(path: string): number;
  /** `context` is an XPath that must select exactly one node to start from; without it the document node. */
  select(path: string, namespaces: Namespaces, context?: { path: string; namespaces: Namespaces }): Selection;
  /**
   * `same`: some node of the first set is a node of the second. `within`: or is an ancestor of one.
   * A text says why there is no answer.
   */
  compare(
    how: 'same' | 'within',
    first: { path: string; namespaces: Namespaces },
    second: { path: string; namespaces: Namespaces },
  ): boolean | string;
  close(): void;
}

/** The reason why this is no XPath 1.0 expression, or undefined when it is one. Prefixes are checked too. */
export function checkXPath(path: string, namespaces: Namespaces): string | undefined {
  if (path.length > 2000) return 'the XPath expression is longer than 2000 characters';
  for (const [, prefix] of path.replace(/"[^"]*"|'[^']*'/g, "''").matchAll(/([\p{L}_][\p{L}\p{N}_.-]*):(?!:)/gu)) {
    if (!namespaces.has(prefix!) && prefix !== 'xml') return `the prefix ${prefix} is not declared`;
  }
  try {
    XmlXPath.compile(path, registered(namespaces)).dispose();
    return undefined;
  } catch (error) {
    return `not an XPath 1.0 expression: ${error instanceof Error ? error.message.trim() : String(error)}`;
  }
}

/**
 * libxml2 evaluates an XPath as written, and nested axes multiply: the work is bounded beforehand, by the size of the
 * document to the power of the steps that can reach all of it.
 */
const maxWork = 4e6;

/** Opens the document of `text`, which the caller made from data it had read by `readXml`. */
export function openXPathDocument(text: string, nodeCount: number): XPathDocument {
  const document = XmlDocument.fromString(text, parseOptions);
  const size = nodeCount + Math.ceil(text.length / 16);

  function workOf(path: string): number {
    const wide = path.match(
      /\/\/|(?<![\p{L}\p{N}_\-\])*.@])\/|\.\.|\b(?:ancestor|descendant|following|preceding|parent)/gu,
    );
    return size ** Math.max(1, wide?.length ?? 0);
  }

  function find(path: string, namespaces: Namespaces, from?: XmlNode): XmlNode[] | string | number | boolean {
    if (workOf(path) > maxWork) {
      throw new Error(`the XPath expression is too costly for a document of ${nodeCount} nodes`);
    }
    const names = registered(namespaces);
    // A relative path starts at the document node, which XPath cannot be given: from the root element it is `/`.
    if (from !== undefined) return from.eval(path, names);
    return document.root.eval(startAtDocument(path), names);
  }

  function nodes(path: string, namespaces: Namespaces, from?: XmlNode): XmlNode[] {
    const found = find(path, namespaces, from);
    if (!Array.isArray(found)) throw new Error('the XPath expression does not select nodes');
    return found;
  }

  return {
    workOf,
    select(path, namespaces, context) {
      try {
        let from: XmlNode | undefined;
        if (context !== undefined) {
          const start = nodes(context.path, context.namespaces);
          if (start.length !== 1) {
            return { kind: 'fault', reason: `the context selector selects ${start.length} nodes, not one` };
          }
          from = start[0];
        }
        const found = find(path, namespaces, from);
        if (!Array.isArray(found)) return { kind: 'value', value: found };
        return { kind: 'nodes', nodes: found.map((node) => ({ kind: kindOf(node), value: node.content })) };
      } catch (error) {
        return { kind: 'fault', reason: error instanceof Error ? error.message.trim() : String(error) };
      }
    },
    compare(how, first, second) {
      try {
        const left = nodes(first.path, first.namespaces);
        const right = nodes(second.path, second.namespaces);
        if (left.length * right.length * (how === 'within' ? 100 : 1) > maxWork) return 'too many nodes to compare';
        return left.some((a) =>
          right.some((b) => {
            if (a.isSameNode(b)) return true;
            if (how === 'same') return false;
            for (let up = b.parent; up !== null; up = up.parent) if (a.isSameNode(up)) return true;
            return false;
          }),
        );
      } catch (error) {
        return error instanceof Error ? error.message.trim() : String(error);
      }
    },
    close() {
      document.dispose();
    },
  };
}

function startAtDocument(path: string): string {
  const trimmed = path.trim();
  return /^[A-Za-z_*@.]/.test(trimmed) && !/^[A-Za-z-]+\s*\(/.test(trimmed) ? `/${trimmed}` : trimmed;
}

function registered(namespaces: Namespaces): Record<string, string> {
  const out: Record<string, string> = Object.create(null);
  for (const [prefix, uri] of namespaces) if (prefix !== '' && prefix !== 'xml') out[prefix] = uri;
  return out;
}

function kindOf(node: XmlNode): SelectedNode['kind'] {
  if (node instanceof LibraryElement) return 'element';
  if (node instanceof XmlAttribute) return 'attribute';
  if (node instanceof XmlText || node instanceof XmlCData) return 'text';
  if (node instanceof XmlComment) return 'comment';
  return 'other';
}
