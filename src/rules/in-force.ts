import { defaultXmlLimits, type XmlLimits } from '../protocol/xml/scan.ts';
import { type CompiledPolicy, compilePolicyTree, type Linker } from './compile-policy.ts';
import { Refusal } from './failure.ts';
import type { PolicyTree, ReferenceSyntax } from './policy.ts';
import { readPolicyText } from './read-policy.ts';
import type { Decider, DeciderPlace } from './verdict.ts';
import { compareVersions, matchesVersion } from './version.ts';

/** One policy of the set, as it is stored. */
export interface PolicyDocument {
  /** What people call it; faults name it. */
  readonly name: string;
  /** XACML 3.0 XML. */
  readonly text: string;
  /** `referenced` documents are evaluated only where others refer to them. */
  readonly use: 'evaluated' | 'referenced';
}

/** Why a policy cannot be in force. */
export interface PolicyFault {
  /** Name of the document. */
  readonly document: string;
  /** Line in it, from 1. */
  readonly line: number;
  readonly reason: string;
}

/** The policies a decision is made by: checked, compiled and never changed. */
export interface PoliciesInForce {
  readonly root: CompiledPolicy;
  /** How many documents it was made of. */
  readonly count: number;
  /** Where those stand that may decide; not in it is the set over all documents. */
  readonly places: ReadonlyMap<Decider, DeciderPlace>;
}

export type Accepted<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly PolicyFault[] };

/** How the evaluated documents are combined, when there is more than one or none. */
export const defaultCombining = 'urn:oasis:names:tc:xacml:3.0:policy-combining-algorithm:deny-overrides';

export interface PolicySetOptions {
  /** A policy-combining algorithm of the standard. Default: deny-overrides of XACML 3.0. */
  readonly combining?: string;
  readonly limits?: XmlLimits;
}

/** Reads one policy and checks its structure, without the policies it refers to. */
export function readPolicy(name: string, text: string, limits?: XmlLimits): Accepted<PolicyTree> {
  try {
    return { ok: true, value: readPolicyText(text, limits ?? defaultXmlLimits) };
  } catch (error) {
    return { ok: false, faults: [faultOf(name, error)] };
  }
}

/** Faults given at most. */
const maxFaults = 50;

/**
 * Checks and compiles policies, in their order, into a set that can be put in force. Either all of them are accepted
 * or none: what was in force before is another value and stays as it was. At most one fault is given per document.
 */
export function acceptPolicies(
  documents: readonly PolicyDocument[],
  options: PolicySetOptions = {},
): Accepted<PoliciesInForce> {
  const faults: PolicyFault[] = [];
  const trees: { document: PolicyDocument; tree: PolicyTree }[] = [];
  for (const document of documents) {
    const read = readPolicy(document.name, document.text, options.limits);
    if (read.ok) trees.push({ document, tree: read.value });
    else faults.push(...read.faults);
  }
  faults.push(...findTwins(trees));
  const linker = openLinker(trees);
  const compiled: CompiledPolicy[] = [];
  for (const { document, tree } of trees) {
    if (faults.length >= maxFaults) break;
    try {
      const policy = linker.compile(tree);
      if (document.use === 'evaluated') compiled.push(policy);
    } catch (error) {
      faults.push(faultOf(document.name, error));
    }
  }
  if (faults.length > 0) return { ok: false, faults };
  try {
    const root = compiled.length === 1 ? compiled[0]! : compileRoot(compiled, options.combining ?? defaultCombining);
    return { ok: true, value: { root, count: documents.length, places: linker.places } };
  } catch (error) {
    return { ok: false, faults: [faultOf('', error)] };
  }
}

/** Two documents of one kind, id and version: a reference could not tell them apart. */
function findTwins(trees: readonly { document: PolicyDocument; tree: PolicyTree }[]): PolicyFault[] {
  const first = new Map<string, string>();
  const faults: PolicyFault[] = [];
  for (const { document, tree } of trees) {
    const key = `${tree.kind} ${tree.id} ${tree.version}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, document.name);
    else {
      const reason = `${tree.id} version ${tree.version} is already defined by ${other}`;
      faults.push({ document: document.name, line: tree.line, reason });
    }
  }
  return faults;
}

function faultOf(document: string, error: unknown): PolicyFault {
  if (error instanceof Refusal) return { document, line: error.line, reason: error.message };
  throw error;
}

/** A set without a target over all evaluated documents. */
function compileRoot(policies: readonly CompiledPolicy[], combining: string): CompiledPolicy {
  const references = policies.map((_, i): ReferenceSyntax => {
    return {
      kind: 'policyReference',
      id: String(i),
      line: 1,
      version: undefined,
      earliest: undefined,
      latest: undefined,
    };
  });
  return compilePolicyTree(
    {
      kind: 'policySet',
      id: 'purvey:policies-in-force',
      version: '1',
      line: 1,
      description: undefined,
      target: [],
      combining,
      obligations: [],
      advice: [],
      children: references,
    },
    {
      resolve: (reference) => policies[Number(reference.id)]!,
      nextSlot: () => 0,
      document: undefined,
      place: () => {},
    },
  );
}

interface DocumentLinker extends Linker {
  readonly places: ReadonlyMap<Decider, DeciderPlace>;
  compile(tree: PolicyTree): CompiledPolicy;
}

/** Compiles each document once, however often it is referred to. */
function openLinker(trees: readonly { document: PolicyDocument; tree: PolicyTree }[]): DocumentLinker {
  const done = new Map<PolicyTree, CompiledPolicy>();
  const open = new Set<PolicyTree>();
  const byId = new Map<string, PolicyTree[]>();
  const nameOf = new Map(trees.map(({ document, tree }) => [tree, document.name]));
  const places = new Map<Decider, DeciderPlace>();
  for (const { tree } of trees) {
    const key = `${tree.kind} ${tree.id}`;
    byId.set(key, [...(byId.get(key) ?? []), tree]);
  }
  let slots = 0;

  const linker: DocumentLinker = {
    places,
    nextSlot: () => slots++,
    get document() {
      // The innermost of those that are being compiled, one referring to the next.
      return nameOf.get([...open].at(-1)!);
    },
    place(decider, isPart) {
      places.set(decider, { document: linker.document!, isPart });
    },
    compile(tree) {
      const known = done.get(tree);
      if (known !== undefined) return known;
      open.add(tree);
      try {
        const policy = compilePolicyTree(tree, linker);
        done.set(tree, policy);
        return policy;
      } finally {
        open.delete(tree);
      }
    },
    resolve(reference) {
      const tree = chooseVersion(byId, reference);
      if (open.has(tree)) throw new Refusal(reference.line, `the reference to ${reference.id} leads back to itself`);
      if (open.size > 100) throw new Refusal(reference.line, 'policies refer to one another more than 100 deep');
      try {
        return linker.compile(tree);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (error.message.startsWith('the reference to') || error.message.startsWith('cannot use')) {
          throw new Refusal(reference.line, error.message);
        }
        throw new Refusal(reference.line, `cannot use ${reference.id}, which has a fault: ${error.message}`);
      }
    },
  };
  return linker;
}

/** Section 5.11: of the versions that fit, the latest. */
function chooseVersion(byId: ReadonlyMap<string, readonly PolicyTree[]>, reference: ReferenceSyntax): PolicyTree {
  const kind = reference.kind === 'policyReference' ? 'policy' : 'policySet';
  const candidates = byId.get(`${kind} ${reference.id}`) ?? [];
  const { version, earliest, latest } = reference;
  let best: PolicyTree | undefined;
  for (const tree of candidates) {
    if (version !== undefined && !matchesVersion(tree.version, version, 'exact')) continue;
    if (earliest !== undefined && !matchesVersion(tree.version, earliest, 'earliest')) continue;
    if (latest !== undefined && !matchesVersion(tree.version, latest, 'latest')) continue;
    if (best === undefined || compareVersions(tree.version, best.version) > 0) best = tree;
  }
  if (best !== undefined) return best;
  const what = kind === 'policy' ? 'policy' : 'policy set';
  throw new Refusal(
    reference.line,
    candidates.length === 0
      ? `there is no ${what} ${reference.id} to refer to`
      : `there is no version of the ${what} ${reference.id} that the reference accepts`,
  );
}
