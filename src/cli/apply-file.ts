import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLParseError,
} from 'yaml';
import { CliError } from './client.ts';

/**
 * The file of `purvey apply`:
 *
 *     userStoreDomains: [SALES]
 *     identityProviders:
 *       - name: partner
 *         displayName: Partner
 *         federation:
 *           authenticator: { type: oidc, issuer: https://login.partner.example, clientId: purvey, clientSecret: ${SECRET} }
 *           jit: { enabled: true }
 *         connectors:
 *           - type: SCIM2
 *             settings: { scim2-access-token: ${PARTNER_TOKEN}, scim2-user-ep: "${PARTNER_URL}/scim2/Users" }
 *             policy: { deprovision: delete }
 *     serviceProviders:
 *       - name: resident
 *         outboundProvisioning:
 *           - { identityProvider: partner, connector: SCIM2, rules: true }
 *       - name: hr-suite
 *         oauthClient: { scopes: [scim.read, scim.write] }
 *     policies:
 *       - name: sales-only
 *         document: |
 *           <Policy xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17" …
 *       - name: no interns
 *         rows: { list: [{ effect: withhold, who: [{ about: group, is: one-of, values: [Interns] }] }] }
 *
 * `${NAME}` is replaced in values by the environment variable of that name, after the YAML was read, so its value
 * cannot change the file's shape; `$${` stands for `${` itself.
 */
export type ApplyFile = {
  userStoreDomains: string[];
  identityProviders: ApplyIdentityProvider[];
  serviceProviders: {
    fields: {
      name: string;
      description?: string | null;
      forwardOnly?: unknown;
      fallback?: unknown;
      userStoreDomain?: unknown;
      requestedClaims?: unknown;
    };
    /** Undefined: the file says nothing about them. */
    outboundProvisioning: ApplyBinding[] | undefined;
    /** Absent: the file says nothing about it. */
    oauthClient?: Record<string, unknown>;
  }[];
  policies: ApplyPolicy[];
};
export type ApplyIdentityProvider = {
  fields: Record<string, unknown> & { name: string };
  connectors: ApplyConnector[];
  /** How people sign in through it; absent: the file says nothing about it. */
  federation?: Record<string, unknown>;
};
export type ApplyPolicy = { name: string; [field: string]: unknown };
export type ApplyConnector = { type: string; enabled?: unknown; settings?: unknown; policy?: unknown };
export type ApplyBinding = { identityProvider: string; connector: string; [flag: string]: unknown };

const providerFields = [
  'name',
  'displayName',
  'description',
  'homeRealmId',
  'alias',
  'certificate',
  'jwksUrl',
  'enabled',
];
const connectorFields = ['type', 'enabled', 'settings', 'policy'];
const policyFields = ['name', 'position', 'enabled', 'use', 'document', 'rows'];
const clientFields = [
  'grants',
  'redirectUris',
  'postLogoutRedirectUris',
  'consent',
  'scopes',
  'authMethod',
  'jwks',
  'tokenSeconds',
];
const bindingFields = ['identityProvider', 'connector', 'blocking', 'onFailure', 'rules', 'jit', 'enabled'];

/** Throws `CliError` naming file and line. `readEnv` gives the value of an environment variable. */
export function readApplyFile(text: string, file: string, readEnv: (name: string) => string | undefined): ApplyFile {
  const lines = new LineCounter();
  const marked = markVariables(text);
  const document = parseDocument(marked.text, { lineCounter: lines, uniqueKeys: true });
  const say = (line: number, why: string) => new CliError(`${file}, line ${line}: ${why}`);
  const fault = document.errors[0];
  if (fault) {
    throw say(fault.linePos?.[0].line ?? 1, marked.restore(wordFault(fault)));
  }
  const lineOf = (node: unknown) => (isNode(node) && node.range ? lines.linePos(node.range[0]).line : 1);
  visit(document, {
    Alias(_key, node) {
      throw say(lineOf(node), `*${node.source} stands for a value that is written elsewhere: write it out here`);
    },
    Scalar(key, node) {
      if (typeof node.value !== 'string') return;
      if (key === 'key') node.value = marked.restore(node.value);
      else node.value = marked.fill(node.value, readEnv, (why) => say(lineOf(node), why));
    },
  });
  return readShape(document, (node, why) => say(lineOf(node), why));
}

/** What is wrong with the YAML, without advice for programmers. */
function wordFault({ code, message }: YAMLParseError): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here (---): give it a file of its own';
  if (/call stack/.test(message)) return 'the file is nested too deep to be read';
  return message.split('\n')[0]!.replace(/ at line .*$/, '');
}

/**
 * `${NAME}` cannot stand in YAML's flow style (`{ a: ${B} }`), so each is replaced by a mark before the file is parsed,
 * and the mark by the value afterwards.
 */
function markVariables(text: string) {
  const marks: string[] = [];
  const first = '\ue000';
  const last = '\ue001';
  if (text.includes(first)) throw new CliError('the file holds the character U+E000, which has no place there');
  const marked = text.replace(/\$?\$\{[^}\n"']*\}?/g, (found) => {
    marks.push(found);
    return `${first}${marks.length - 1}${last}`;
  });
  const eachMark = (value: string, put: (original: string) => string) =>
    value.replace(new RegExp(`${first}(\\d+)${last}`, 'g'), (_, n) => put(marks[Number(n)]!));
  return {
    text: marked,
    restore: (value: string) => eachMark(value, (original) => original),
    fill(value: string, readEnv: (name: string) => string | undefined, refuse: (why: string) => CliError) {
      return eachMark(value, (original) => {
        if (original.startsWith('$$')) return original.slice(1);
        const name = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(original)?.[1];
        if (name === undefined) {
          throw refuse(`${original} is no variable: write \${NAME}, or $\${ for the characters themselves`);
        }
        const given = readEnv(name);
        if (given === undefined) throw refuse(`the environment variable ${name} is not set`);
        return given;
      });
    },
  };
}

type Refuse = (node: unknown, why: string) => CliError;

function readShape(document: Document.Parsed, refuse: Refuse): ApplyFile {
  const root = fieldsOf(document.contents, 'the file', refuse, [
    'userStoreDomains',
    'identityProviders',
    'serviceProviders',
    'policies',
  ]);
  return {
    policies: unique(
      itemsOf(root.policies, 'policies', refuse).map((node) => {
        const own = fieldsOf(node, 'a policy', refuse, policyFields);
        return { node, item: { ...plain(own), name: textOf(own.name ?? node, 'the name of a policy', refuse) } };
      }),
      (one) => one.item.name,
      refuse,
    ),
    userStoreDomains: itemsOf(root.userStoreDomains, 'userStoreDomains', refuse).map((node) =>
      textOf(node, 'a user store domain', refuse),
    ),
    identityProviders: unique(
      itemsOf(root.identityProviders, 'identityProviders', refuse).map((node) => {
        const fields = fieldsOf(node, 'an identity provider', refuse, [...providerFields, 'connectors', 'federation']);
        const name = textOf(fields.name ?? node, 'the name of an identity provider', refuse);
        const { connectors, federation, ...own } = fields;
        if (federation !== undefined && !isMap(federation)) {
          throw refuse(federation, `federation of ${name} must be names with values`);
        }
        const read = itemsOf(connectors, `connectors of ${name}`, refuse).map((each) =>
          readConnector(each, name, refuse),
        );
        const item = {
          fields: { ...plain(own), name },
          connectors: unique(read, (one) => one.item.type, refuse),
          ...(federation === undefined ? {} : { federation: federation.toJSON() as Record<string, unknown> }),
        };
        return { node, item };
      }),
      (one) => one.item.fields.name,
      refuse,
    ),
    serviceProviders: unique(
      itemsOf(root.serviceProviders, 'serviceProviders', refuse).map((node) => {
        const fields = fieldsOf(node, 'a service provider', refuse, [
          'name',
          'description',
          'forwardOnly',
          'fallback',
          'userStoreDomain',
          'requestedClaims',
          'outboundProvisioning',
          'oauthClient',
        ]);
        const name = textOf(fields.name ?? node, 'the name of a service provider', refuse);
        const { outboundProvisioning, oauthClient, ...own } = fields;
        const rows = itemsOf(outboundProvisioning, `outboundProvisioning of ${name}`, refuse);
        const item = {
          fields: { ...plain(own), name },
          outboundProvisioning:
            outboundProvisioning === undefined ? undefined : rows.map((each) => readBinding(each, name, refuse)),
          ...(oauthClient === undefined
            ? {}
            : { oauthClient: plain(fieldsOf(oauthClient, `oauthClient of ${name}`, refuse, clientFields)) }),
        };
        return { node, item };
      }),
      (one) => one.item.fields.name,
      refuse,
    ),
  };
}

function readConnector(node: unknown, provider: string, refuse: Refuse): { node: unknown; item: ApplyConnector } {
  const fields = fieldsOf(node, `a connector of ${provider}`, refuse, connectorFields);
  const type = textOf(fields.type ?? node, `the type of a connector of ${provider}`, refuse);
  for (const key of ['settings', 'policy']) {
    if (fields[key] !== undefined && !isMap(fields[key])) throw refuse(fields[key], `${key} must be names with values`);
  }
  return { node, item: { ...plain(fields), type } };
}

function readBinding(node: unknown, provider: string, refuse: Refuse): ApplyBinding {
  const fields = fieldsOf(node, `a row of outboundProvisioning of ${provider}`, refuse, bindingFields);
  return {
    ...plain(fields),
    identityProvider: textOf(fields.identityProvider ?? node, 'identityProvider of a binding', refuse),
    connector: textOf(fields.connector ?? node, 'connector of a binding', refuse),
  };
}

function fieldsOf(node: unknown, what: string, refuse: Refuse, known: readonly string[]): Record<string, Node> {
  if (node === null && what === 'the file') return {};
  if (!isMap(node)) throw refuse(node, `${what} must be written as names with values: ${known.join(', ')}`);
  const fields: Record<string, Node> = {};
  for (const pair of node.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    if (!known.includes(key)) throw refuse(pair.key, `${what} has no ${key}; known are ${known.join(', ')}`);
    if (isNode(pair.value)) fields[key] = pair.value;
  }
  return fields;
}

function itemsOf(node: unknown, what: string, refuse: Refuse): unknown[] {
  if (node === undefined || (isScalar(node) && node.value === null)) return [];
  if (!isSeq(node)) throw refuse(node, `${what} must be a list`);
  return node.items;
}

function textOf(node: unknown, what: string, refuse: Refuse): string {
  if (isScalar(node) && typeof node.value === 'string' && node.value !== '') return node.value;
  throw refuse(node, `${what} must be given, as a text`);
}

function plain(fields: Record<string, Node>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, node]) => [key, node.toJSON()]));
}

function unique<I>(read: { node: unknown; item: I }[], nameOf: (one: { item: I }) => string, refuse: Refuse): I[] {
  const seen = new Set<string>();
  return read.map((one) => {
    const name = nameOf(one).toLowerCase();
    if (seen.has(name)) throw refuse(one.node, `${nameOf(one)} is there twice`);
    seen.add(name);
    return one.item;
  });
}
