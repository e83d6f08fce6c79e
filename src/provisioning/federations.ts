import type { Selectable } from 'kysely';
import { Problem } from '../base/problem.ts';
import { type SealingKey, type Secret, seal, unseal } from '../base/secret.ts';
import { findDomain } from '../directory/domains.ts';
import type { ResourceType } from '../protocol/scim/schema.ts';
import type { FederationRow } from '../store/federation-rows.ts';
import type { Reading, Tx } from '../store/store.ts';
import {
  type Authenticator,
  type FederationSettings,
  noFederation,
  readFederationSettings,
  type SamlAuthenticator,
  secretNames,
} from './federation-settings.ts';
import { type IdentityProvider, readIdentityProvider } from './identity-providers.ts';

/** The only writer of `federations`: how people sign in through an identity provider. */
export type Federation = {
  idp: IdentityProvider;
  settings: FederationSettings;
  /** Since when the client secret, or our key, is what it is; null where there is none. */
  secretSince: number | null;
  /** Null: nothing was ever set. */
  modifiedAt: number | null;
};

/** An identity provider that may be chosen to sign in through. */
export type SignInChoice = { id: number; name: string; label: string; homeRealmId: string | null; domains: string[] };

const contextOf = (idpId: number) => `federation:${idpId}`;

/** By id or name of the identity provider; of one for which nothing was set, what holds then. Throws `notFound`. */
export async function readFederation(
  reading: Reading,
  idOrName: string | number,
  key: SealingKey,
): Promise<Federation> {
  const idp = await readIdentityProvider(reading, idOrName);
  const row = await reading.first(reading.q.selectFrom('federations').selectAll().where('idp_id', '=', idp.id));
  return row ? fromRow(idp, row, key) : { idp, settings: noFederation, secretSince: null, modifiedAt: null };
}

/** Those that people may sign in through now, in the order of their names. */
export async function listSignInChoices(reading: Reading): Promise<SignInChoice[]> {
  const rows = await reading.all(
    reading.q
      .selectFrom('federations')
      .innerJoin('identity_providers', 'identity_providers.id', 'federations.idp_id')
      .select(['id', 'name', 'display_name', 'home_realm_id', 'settings'])
      .where('federations.enabled', '=', 1)
      .where('identity_providers.enabled', '=', 1)
      .orderBy('name_key'),
  );
  return rows.map((row) => ({
    id: Number(row.id),
    name: row.name,
    label: row.display_name ?? row.name,
    homeRealmId: row.home_realm_id,
    domains: (JSON.parse(row.settings) as FederationSettings).domains,
  }));
}

/**
 * Puts what was given in the place of what is set. Nothing is written when nothing differs. Throws Problem `notFound`
 * and `invalidValue` with its `field`.
 */
export async function writeFederation(
  tx: Tx,
  idOrName: string | number,
  inputOf: (before: Federation) => unknown,
  { key, type }: { key: SealingKey; type: ResourceType },
): Promise<{ federation: Federation; change: 'created' | 'updated' | 'unchanged' }> {
  const before = await readFederation(tx, idOrName, key);
  const { idp } = before;
  const known = secretOf(before.settings.authenticator);
  const given = readFederationSettings(inputOf(before), { type, before: before.settings.authenticator });
  const settings = { ...given, jit: { ...given.jit, domain: await readDomain(tx, given.jit.domain) } };
  const secret = secretOf(settings.authenticator);
  const sameSecret = secret?.reveal() === known?.reveal();
  const text = toText(settings);
  if (before.modifiedAt !== null && sameSecret && text === toText(before.settings)) {
    return { federation: before, change: 'unchanged' };
  }
  const secretSince = secret === null ? null : sameSecret ? before.secretSince : Math.floor(tx.now);
  const row = {
    enabled: settings.authenticator?.enabled ? 1 : 0,
    settings: text,
    secret: secret === null ? null : seal(key, secret.reveal(), contextOf(idp.id)),
    secret_at: secretSince,
    modified_at: Math.floor(tx.now),
  };
  await tx.all(
    tx.q
      .insertInto('federations')
      .values({ idp_id: idp.id, ...row })
      .onConflict((conflict) => conflict.column('idp_id').doUpdateSet(row)),
  );
  return {
    federation: { idp, settings, secretSince, modifiedAt: row.modified_at },
    change: before.modifiedAt === null ? 'created' : 'updated',
  };
}

async function readDomain(tx: Tx, name: string): Promise<string> {
  const found = await findDomain(tx, name);
  if (found !== undefined) return found;
  throw new Problem('invalidValue', `there is no user store domain ${name.slice(0, 100)}`, { field: 'jit.domain' });
}

function secretOf(authenticator: Authenticator | null): Secret | null {
  if (authenticator === null) return null;
  return authenticator.type === 'oidc' ? authenticator.clientSecret : authenticator.ownKey;
}

function toText(settings: FederationSettings): string {
  const { authenticator } = settings;
  if (authenticator === null) return JSON.stringify(settings);
  return JSON.stringify({ ...settings, authenticator: { ...authenticator, [secretNames[authenticator.type]]: null } });
}

function withSecret(kept: Authenticator, secret: Secret | null): Authenticator {
  if (kept.type === 'oidc') return { ...kept, clientSecret: secret };
  // What was kept before there were keys of ours has none of these.
  const { signRequests = false, requireEncryption = false, ownCertificate = null } = kept as Partial<SamlAuthenticator>;
  return { ...kept, signRequests, requireEncryption, ownCertificate, ownKey: secret };
}

function fromRow(idp: IdentityProvider, row: Selectable<FederationRow>, key: SealingKey): Federation {
  const kept = JSON.parse(row.settings) as FederationSettings;
  const secret = row.secret === null ? null : unseal(key, row.secret, contextOf(idp.id));
  const authenticator = kept.authenticator && withSecret(kept.authenticator, secret);
  // What was kept before there was a prompt has none.
  const jit = { ...noFederation.jit, ...kept.jit };
  return { idp, settings: { ...kept, authenticator, jit }, secretSince: row.secret_at, modifiedAt: row.modified_at };
}
