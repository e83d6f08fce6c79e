import { type Selectable, sql } from 'kysely';
import type { FederatedUserRow } from '../../store/federation-rows.ts';
import { prepare, type Reading, type Tx } from '../../store/store.ts';

/** The only writer of `federated_users`: who somebody at an identity provider is here. */

/** Somebody as an identity provider knows them: the pair is unique and lasts (OpenID Connect Core section 5.7). */
export type RemoteUser = { idpId: number; issuer: string; subject: string };

/** `groups`: ids of those that signing in put the user into. */
export type Link = { userId: string; groups: string[] };

const select = prepare<{ idp: number; issuer: string; subject: string }, Selectable<FederatedUserRow>>(
  (_, p) => sql<Selectable<FederatedUserRow>>`
    select * from federated_users
    where idp_id = ${p.idp} and issuer = ${p.issuer} and remote_subject = ${p.subject}`,
);

export async function findLink(reading: Reading, { idpId, issuer, subject }: RemoteUser): Promise<Link | undefined> {
  const [row] = await reading.run(select, { idp: idpId, issuer, subject });
  return row && { userId: row.user_id, groups: JSON.parse(row.given_groups) as string[] };
}

/** Whether anybody at this identity provider is this user already. */
export async function isLinked(reading: Reading, idpId: number, userId: string): Promise<boolean> {
  const query = reading.q.selectFrom('federated_users').select('user_id');
  return (await reading.first(query.where('user_id', '=', userId).where('idp_id', '=', idpId).limit(1))) !== undefined;
}

/** Safe to repeat. */
export async function keepLink(tx: Tx, { idpId, issuer, subject }: RemoteUser, link: Link): Promise<void> {
  const row = { user_id: link.userId, given_groups: JSON.stringify(link.groups) };
  await tx.all(
    tx.q
      .insertInto('federated_users')
      .values({ idp_id: idpId, issuer, remote_subject: subject, created_at: Math.floor(tx.now), ...row })
      .onConflict((conflict) => conflict.columns(['idp_id', 'issuer', 'remote_subject']).doUpdateSet(row)),
  );
}
