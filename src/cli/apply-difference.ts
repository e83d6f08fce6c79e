import type { ConnectorKindAnswer } from '../contract/connector-kind.ts';
import type { List } from '../contract/page.ts';
import type { BindingsChanged } from '../contract/service-provider.ts';
import type { TargetAnswer } from '../contract/target.ts';
import type { Offer } from '../contract/wave.ts';
import type { ApplyFile } from './apply-file.ts';
import { keyOf, type Step, type StepOptions, type StepRequest, stepsOf } from './apply-steps.ts';
import { type Change, CliError, type Client } from './client.ts';
import type { TargetEffect } from './effects.ts';

/** What applying would do to one object. */
export type Difference = {
  kind: Step['kind'];
  name: string;
  change: Change;
  /** What would be different; for an object that would be created, everything it would have. */
  fields: FieldDifference[];
  /** False: it stands on something that is to be created first, so the server could not check it yet. */
  checked: boolean;
  /** Who could be sent by new bindings then. */
  offers?: Offer[];
  /** What it would do with those who are at a target already, at each that it concerns; of targets and bindings alone. */
  effects?: TargetEffect[];
};

/** Null: not there. A secret is never shown; it `would be set` also when it is the one that is set already. */
export type FieldDifference =
  | { field: string; from: unknown; to: unknown }
  | { field: string; secret: 'would be set' | 'would be removed' };

/**
 * What `applyFile` would do; changes nothing. The server checks each object and takes it back (`dryRun`). Throws
 * `CliError` naming the first object that would be refused.
 */
export async function compareFile(
  client: Client,
  file: ApplyFile,
  tell: (one: Difference) => void,
  options: StepOptions = {},
): Promise<Difference[]> {
  const all: Difference[] = [];
  const toCome = new Set<string>();
  const secrets = await readSecretKeys(client);
  for (const step of stepsOf(file, options)) {
    const one = await compareStep(client, step, toCome, secrets);
    if (one.change === 'created') toCome.add(keyOf(step.kind, step.name));
    all.push(one);
    tell(one);
  }
  return all;
}

async function compareStep(
  client: Client,
  step: Step,
  toCome: ReadonlySet<string>,
  secrets: ReadonlySet<string>,
): Promise<Difference> {
  const { kind, name } = step;
  const { before, method, path, body } = await step.look(client);
  if (body === undefined) return { kind, name, change: 'unchanged', fields: [], checked: true };
  const old = flatten(kind, before ?? {}, secrets);
  if (step.needs.some((need) => toCome.has(need))) {
    const fields = compareFields(old, flatten(kind, body, secrets), body);
    return { kind, name, change: before ? 'updated' : 'created', fields, checked: false };
  }
  try {
    const { answer, change } = await client.send<Record<string, unknown>>(
      method,
      `${path}${path.includes('?') ? '&' : '?'}dryRun=true`,
      body,
    );
    const fields = change === 'unchanged' ? [] : compareFields(old, flatten(kind, answer, secrets), body);
    const offers = answer.offers as Offer[] | undefined;
    const effects = change === 'unchanged' ? [] : effectsOf(kind, answer);
    return {
      ...{ kind, name, change, fields, checked: true },
      ...(offers?.length ? { offers } : {}),
      ...(effects.length > 0 ? { effects } : {}),
    };
  } catch (error) {
    throw nameRefused(step, error);
  }
}

function effectsOf(kind: Step['kind'], answer: Record<string, unknown>): TargetEffect[] {
  if (kind === 'bindings')
    return ((answer as Partial<BindingsChanged>).effects ?? []).map(({ targetId: _, ...one }) => one);
  const { name, effect } = answer as Partial<TargetAnswer>;
  return kind === 'target' && effect ? [{ target: name!, ...effect }] : [];
}

/** A refusal with the object it is about. */
export function nameRefused({ kind, name }: Pick<Step, 'kind' | 'name'>, error: unknown): unknown {
  if (!(error instanceof CliError) || error.status === undefined) return error;
  const field = error.field === undefined ? '' : ` (${error.field})`;
  return new CliError(`${kind} ${name}: ${error.message}${field}`, { status: error.status });
}

const hidden = Symbol('a secret');
const ownFacts = [
  'id',
  'createdAt',
  'modifiedAt',
  'version',
  'resident',
  'targetId',
  'identityProvider',
  'redirectUri',
  'metadataUrl',
  'type',
  'effect',
  'offers',
];
const factsOfClient = [
  'serviceProvider',
  'clientId',
  'clientSecret',
  'secrets',
  'issuer',
  'tokenEndpoint',
  'authorizationEndpoint',
  'endSessionEndpoint',
];

/** An object as paths with plain values; what only the server knows is left out. */
function flatten(kind: Step['kind'], object: Record<string, unknown>, secrets: ReadonlySet<string>) {
  const flat = new Map<string, unknown>();
  const put = (path: string, value: unknown) => {
    if (Array.isArray(value)) {
      for (const [n, each] of value.entries()) put(isRow(each) ? each.target : `${path}[${n}]`, each);
    } else if (isShownSecret(value) || (secrets.has(path) && typeof value === 'string' && value !== '')) {
      flat.set(path, hidden);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        if (['settings', 'policy', 'authenticator'].includes(path) || !ownFacts.includes(key))
          put(`${path}.${key}`, inner);
      }
    } else if (value !== null && value !== undefined) flat.set(path, value);
  };
  for (const [key, value] of Object.entries(object)) {
    const isName = key === 'name' && kind !== 'identity provider' && kind !== 'service provider';
    if (ownFacts.includes(key) || isName || (kind !== 'bindings' && key === 'bindings')) continue;
    if (kind === 'bindings' && key !== 'bindings') continue;
    if (kind === 'OAuth client' && factsOfClient.includes(key)) continue;
    // What rows make is not said besides.
    if (kind === 'policy' && (key === 'says' || (key === 'document' && object.rows))) continue;
    put(key, value);
  }
  return flat;
}

const isRow = (value: unknown): value is { target: string } =>
  typeof value === 'object' && value !== null && typeof (value as { target?: unknown }).target === 'string';

const isShownSecret = (value: unknown) =>
  typeof value === 'object' && value !== null && (value as { set?: unknown }).set === true;

function compareFields(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
  body: NonNullable<StepRequest['body']>,
): FieldDifference[] {
  const fields: FieldDifference[] = [];
  for (const field of new Set([...before.keys(), ...after.keys()])) {
    const [from, to] = [before.get(field), after.get(field)];
    if (to === hidden) {
      if (isGiven(body, field)) fields.push({ field, secret: 'would be set' });
    } else if (from === hidden) fields.push({ field, secret: 'would be removed' });
    else if (from !== to) fields.push({ field, from: from ?? null, to: to ?? null });
  }
  return fields;
}

/** Whether the file says a secret, by its path `settings.key`. */
function isGiven(body: Record<string, unknown>, path: string): boolean {
  const dot = path.indexOf('.');
  const holder = body[path.slice(0, dot)] as Record<string, unknown> | null | undefined;
  return holder?.[path.slice(dot + 1)] !== undefined;
}

/** Every path that is a secret, with some kind of connector or of those who say who somebody is. */
async function readSecretKeys(client: Client): Promise<Set<string>> {
  const { items } = await client.get<List<ConnectorKindAnswer>>('/connector-kinds');
  const secret = items.flatMap((kind) => kind.settings.filter((setting) => setting.type === 'secret'));
  return new Set([
    'authenticator.clientSecret',
    'authenticator.ownKey',
    ...secret.map((setting) => `settings.${setting.key}`),
  ]);
}
