import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { readXml } from '../../src/protocol/xml/read.ts';
import { attributeOf, childElements, textOf, type XmlElement } from '../../src/protocol/xml/tree.ts';
import { answerRequest } from '../../src/rules/answer.ts';
import { findDataType } from '../../src/rules/datatypes/table.ts';
import { acceptPolicies, type PolicyDocument } from '../../src/rules/in-force.ts';
import { readCategory } from '../../src/rules/read-request.ts';

/** One case of a folder of XACML conformance cases. */
export interface XacmlCase {
  /** Its path below the folder given, such as `mandatory/IIA001`. */
  readonly id: string;
  readonly folder: string;
  /** `invalid-policy`: the policies must be refused. */
  readonly kind: 'triple' | 'invalid-policy';
}

/** Finds the cases under a folder: each folder with a `Policy.xml`, or a `Policies/Policy.xml`, is one. */
export function findXacmlCases(root: string): XacmlCase[] {
  const cases: XacmlCase[] = [];
  const visit = (folder: string) => {
    const entries = readdirSync(folder, { withFileTypes: true });
    const names = new Set(entries.map((entry) => entry.name));
    if (names.has('Policy.xml') || existsSync(join(folder, 'Policies', 'Policy.xml'))) {
      const refused = names.has('Request.xml.ignore') && names.has('Response.xml.ignore');
      cases.push({ id: relative(root, folder), folder, kind: refused ? 'invalid-policy' : 'triple' });
      return;
    }
    for (const entry of entries) if (entry.isDirectory()) visit(join(folder, entry.name));
  };
  visit(root);
  return cases.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Runs one case. The text answered says how it failed; undefined means it passed. */
export function runXacmlCase({ folder, kind }: XacmlCase): string | undefined {
  const accepted = acceptPolicies(readDocuments(folder));
  if (kind === 'invalid-policy') return accepted.ok ? 'the policies should have been refused' : undefined;
  if (!accepted.ok) {
    return `refused: ${accepted.faults.map((f) => `${f.document} line ${f.line}: ${f.reason}`).join('; ')}`;
  }
  const provider = join(folder, 'AttributeProvider.xml');
  const supplied = existsSync(provider)
    ? childElements(readRoot(readFileSync(provider, 'utf8'))).map(readCategory)
    : undefined;
  const request = readFileSync(join(folder, 'Request.xml'), 'utf8');
  const settings = { now: Date.now(), zone: 0, ...(supplied ? { supplied } : {}) };
  const { response, results } = answerRequest(accepted.value, request, settings);
  const actual = comparable(response);
  const expected = comparable(readFileSync(join(folder, 'Response.xml'), 'utf8'));
  if (actual === expected) return undefined;
  const why = results.map((result) => result.failure?.message).filter((message) => message !== undefined);
  return `expected ${expected}, got ${actual}${why.length > 0 ? ` (${why.join('; ')})` : ''}`;
}

/** `Policy.xml` is evaluated; every other XML file in a folder below is there to be referred to. */
function readDocuments(folder: string): PolicyDocument[] {
  const documents: PolicyDocument[] = [];
  const own = join(folder, 'Policy.xml');
  if (existsSync(own)) documents.push({ name: 'Policy.xml', text: readFileSync(own, 'utf8'), use: 'evaluated' });
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    for (const name of readdirSync(join(folder, entry.name))) {
      if (!name.endsWith('.xml')) continue;
      const use = name === 'Policy.xml' && !existsSync(own) ? 'evaluated' : 'referenced';
      documents.push({ name: basename(name), text: readFileSync(join(folder, entry.name, name), 'utf8'), use });
    }
  }
  return documents;
}

function readRoot(text: string): XmlElement {
  const read = readXml(text);
  if (!read.ok) throw new Error(`line ${read.fault.line}: ${read.fault.reason}`);
  return read.root;
}

/**
 * What two responses are compared by: decisions, status codes, obligations, advice, included attributes and policies
 * that applied; lists without their order, values by what they mean.
 */
function comparable(response: string): string {
  const results = childElements(readRoot(response)).map((result) => {
    const out: Record<string, unknown> = { attributes: [] };
    for (const child of childElements(result)) {
      const parts = childElements(child);
      if (child.name === 'Decision') out.decision = textOf(child).trim();
      else if (child.name === 'Status') out.status = attributeOf(parts[0]!, 'Value');
      else if (child.name === 'Attributes') (out.attributes as unknown[]).push(describe(child));
      else out[child.name] = parts.map(describe).sort();
    }
    (out.attributes as unknown[]).sort();
    return out;
  });
  return JSON.stringify(results);
}

function describe(element: XmlElement): string {
  const attributes = element.attributes
    .filter((attribute) => attribute.namespace === '')
    .map((attribute) => `${attribute.name}=${attribute.value}`)
    .sort();
  const children = childElements(element);
  const inner = children.length > 0 ? children.map(describe).sort().join('') : comparableValue(element);
  return `<${element.name} ${attributes.join(' ')}>${inner}`;
}

function comparableValue(element: XmlElement): string {
  const text = textOf(element);
  const type = findDataType(attributeOf(element, 'DataType') ?? '');
  const value = type?.parse(text);
  return value === undefined ? text.trim() : String(type!.key(value, 0));
}
