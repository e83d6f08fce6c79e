import { X509Certificate } from 'node:crypto';
import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import type { IdentityProviderRow } from '../store/schema.ts';
import { type Reading, type Tx, UniqueViolation } from '../store/store.ts';
import { raiseDeliveryStamp } from './delivery-stamp.ts';
import { readFields, readFlag, readName, readOptionalText } from './names.ts';

/** The only writer of `identity_providers`: a trusted remote system that holds connectors. */
export type IdentityProvider = {
  id: number;
  name: string;
  displayName: string | null;
  description: string | null;
  homeRealmId: string | null;
  alias: string | null;
  /** PEM. */
  certificate: string | null;
  jwksUrl: string | null;
  enabled: boolean;
  createdAt: number;
  modifiedAt: number;
};

const fields = [
  'name',
  'displayName',
  'description',
  'homeRealmId',
  'alias',
  'certificate',
  'jwksUrl',
  'enabled',
] as const;

type Columns = Omit<IdentityProviderRow, 'id' | 'created_at' | 'modified_at'>;

/** Throws Problem `invalidValue` or, for a name taken (compared without case), `uniqueness`, each with its `field`. */
export async function createIdentityProvider(tx: Tx, input: unknown): Promise<IdentityProvider> {
  const columns = readColumns(input);
  const row = await naming(columns.name, () =>
    tx.first(
      tx.q
        .insertInto('identity_providers')
        .values({ ...columns, created_at: tx.now, modified_at: tx.now })
        .returningAll(),
    ),
  );
  await raiseDeliveryStamp(tx);
  return fromRow(row as IdentityProviderRow & { id: number });
}

/** Replaces everything that can be set; what is left out is unset. Nothing is written when nothing differs. */
export async function replaceIdentityProvider(
  tx: Tx,
  id: number,
  input: unknown,
): Promise<{ identityProvider: IdentityProvider; changed: boolean }> {
  const columns = readColumns(input);
  const found = await tx.first(
    tx.q.selectFrom('identity_providers').selectAll().where('id', '=', id).modifyEnd(tx.dialect.forUpdate),
  );
  if (!found) throw missing(String(id));
  const keys = Object.keys(columns) as (keyof Columns)[];
  if (keys.every((key) => columns[key] === found[key])) return { identityProvider: fromRow(found), changed: false };
  const row = await naming(columns.name, () =>
    tx.first(
      tx.q
        .updateTable('identity_providers')
        .set({ ...columns, modified_at: tx.now })
        .where('id', '=', id)
        .returningAll(),
    ),
  );
  await raiseDeliveryStamp(tx);
  return { identityProvider: fromRow(row!), changed: true };
}

/** Throws `conflict` while it holds connectors. */
export async function removeIdentityProvider(tx: Tx, id: number): Promise<void> {
  const targets = await tx.all(
    tx.q.selectFrom('targets').select(['type', 'removed_at']).where('idp_id', '=', id).orderBy('type'),
  );
  const present = targets.filter((target) => target.removed_at === null);
  if (present.length > 0) {
    const types = present.map((target) => target.type).join(', ');
    throw new Problem('conflict', `this identity provider holds connectors (${types}): remove them first`);
  }
  if (targets.length > 0) {
    const why = 'what is known of a connector that was removed is still being forgotten: try again in a minute';
    throw new Problem('conflict', why);
  }
  const gone = await tx.all(tx.q.deleteFrom('identity_providers').where('id', '=', id).returning('id'));
  if (gone.length === 0) throw missing(String(id));
  await raiseDeliveryStamp(tx);
}

/** In the order of their names. */
export async function listIdentityProviders(reading: Reading): Promise<IdentityProvider[]> {
  const rows = await reading.all(reading.q.selectFrom('identity_providers').selectAll().orderBy('name_key'));
  return rows.map(fromRow);
}

/** By id, or by name without case. Throws `notFound`. */
export async function readIdentityProvider(reading: Reading, idOrName: string | number): Promise<IdentityProvider> {
  const query = reading.q.selectFrom('identity_providers').selectAll();
  const row = await reading.first(
    /^\d{1,15}$/.test(String(idOrName))
      ? query.where('id', '=', Number(idOrName))
      : query.where('name_key', '=', fold(String(idOrName))),
  );
  if (!row) throw missing(String(idOrName));
  return fromRow(row);
}

/** The part of an identity provider that `replaceIdentityProvider` takes. */
export function settableOf(provider: IdentityProvider): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, provider[field]]));
}

function missing(idOrName: string): Problem {
  return new Problem('notFound', `there is no identity provider ${idOrName}`);
}

async function naming<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof UniqueViolation)) throw error;
    throw new Problem('uniqueness', `there is already an identity provider called ${name}`, { field: 'name' });
  }
}

function readColumns(input: unknown): Columns {
  const given = readFields(input, 'body', fields);
  const { name, key } = readName(given.name, 'an identity provider');
  const certificate = readCertificate(given.certificate);
  const jwksUrl = readJwksUrl(given.jwksUrl);
  if (certificate !== null && jwksUrl !== null) {
    throw new Problem('invalidValue', 'give a certificate or a JWKS URL, not both', { field: 'jwksUrl' });
  }
  return {
    name,
    name_key: key,
    display_name: readOptionalText(given.displayName, 'displayName', 256),
    description: readOptionalText(given.description, 'description', 2_000),
    home_realm_id: readOptionalText(given.homeRealmId, 'homeRealmId', 256),
    alias: readOptionalText(given.alias, 'alias', 2_000),
    certificate,
    jwks_url: jwksUrl,
    enabled: readFlag(given.enabled, 'enabled', true) ? 1 : 0,
  };
}

const pemBlock = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g;

/** One or more PEM certificates. A private key is refused: it has no place here. */
export function readCertificate(value: unknown, field = 'certificate'): string | null {
  const text = readOptionalText(value, field, 64_000)?.trim();
  if (text === undefined || text === '') return null;
  const refuse = (why: string): never => {
    throw new Problem('invalidValue', `the certificate ${why}`, { field });
  };
  if (text.includes('PRIVATE KEY')) refuse('must be the public certificate alone, without its private key');
  const blocks = text.match(pemBlock) ?? [];
  if (blocks.length === 0) {
    refuse('must be in PEM: text that begins with -----BEGIN CERTIFICATE----- and ends with -----END CERTIFICATE-----');
  }
  if (text.replace(pemBlock, '').includes('-----')) refuse('is cut off, or holds something else beside certificates');
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch {
      refuse('cannot be read as an X.509 certificate; was it copied whole?');
    }
  }
  return `${text}\n`;
}

function readJwksUrl(value: unknown): string | null {
  const text = readOptionalText(value, 'jwksUrl', 2_000);
  if (text === null) return null;
  const url = URL.parse(text);
  const refuse = (why: string): never => {
    throw new Problem('invalidValue', `the JWKS URL ${why}`, { field: 'jwksUrl' });
  };
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    refuse('must be a whole http or https address, such as https://partner.example/jwks');
  }
  if (url!.username !== '' || url!.password !== '') refuse('must not hold a user name or password');
  return text;
}

function fromRow(row: Omit<IdentityProviderRow, 'id'> & { id: unknown }): IdentityProvider {
  return {
    id: Number(row.id),
    name: row.name,
    displayName: row.display_name,
    description: row.description,
    homeRealmId: row.home_realm_id,
    alias: row.alias,
    certificate: row.certificate,
    jwksUrl: row.jwks_url,
    enabled: row.enabled === 1,
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
  };
}
