import { Problem } from '../../base/problem.ts';
import { findLink } from '../../directory/sign-in-links.ts';
import type { Federation } from '../../provisioning/federations.ts';
import type { Store, Tx } from '../../store/store.ts';
import { type Claims, mapClaims, subjectOf } from './claims.ts';
import { type Given, type Settled, settlePerson } from './person.ts';

/** What `settlePerson` is given of somebody of whom `claims` are said. `issuer`: who said it. */
export function readGiven(
  federation: Federation,
  said: { spId: number; issuer: string; claims: Claims },
  { types, guesses }: Pick<Given, 'types' | 'guesses'>,
): Given {
  const { idp, settings } = federation;
  return {
    federation,
    remote: { idpId: idp.id, issuer: said.issuer, subject: subjectOf(said.claims) },
    mapped: mapClaims(said.claims, settings, types.user),
    origin: { door: 'login', spId: said.spId, actor: `sign-in through ${idp.name}` },
    types,
    guesses,
  };
}

/** Takes back what was written of somebody new who was not asked yet. */
class Unasked extends Error {}

/**
 * `settlePerson` in one transaction; once more when somebody with the same name came first, who may be the same person.
 * Undefined: somebody new, who has to be asked first; nothing is written. They are made all the same and taken back, so
 * that nobody is asked for a password who is refused then. `first`: what comes before in the same transaction.
 */
export async function settle(
  store: Store,
  given: Given,
  first?: (tx: Tx) => Promise<void>,
  isSecond = false,
): Promise<Settled | undefined> {
  const { prompt } = given.federation.settings.jit;
  const isUnasked = prompt !== 'silent' && given.chosen === undefined;
  try {
    return await store.write(async (tx) => {
      await first?.(tx);
      const settled = await settlePerson(tx, given);
      if (isUnasked && settled.isNew) throw new Unasked();
      return settled;
    });
  } catch (error) {
    if (error instanceof Unasked) return undefined;
    if (!(error instanceof Problem)) throw error;
    const isTaken = error.code === 'uniqueness';
    if (isTaken && !isSecond && (await store.read((reading) => findLink(reading, given.remote)))) {
      return settle(store, given, first, true);
    }
    if (error.field !== 'userName') throw error;
    // They may choose another.
    if (isUnasked && prompt === 'userName') return undefined;
    if (!isTaken) throw error;
    await given.guesses.count(given.remote);
    if (given.chosen?.userName !== undefined) throw error;
    const why = `somebody here has the user name ${given.mapped.userName} already, and nothing proves that it is you`;
    throw new Problem('notAllowed', why);
  }
}
