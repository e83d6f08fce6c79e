import type { Described, Failure, RemoteMember } from '../connectors/connector.ts';
import { lacksBody } from '../directory/subjects.ts';
import { differenceOf } from '../mapping/difference.ts';
import type { Attributes } from '../mapping/rows.ts';
import type { Courier } from '../outbound/courier.ts';
import type { LinkRow } from '../store/schema.ts';
import { type Claim, isAdopted } from './claim.ts';
import {
  adoptAsDecided,
  type ConflictLookups,
  resolveCreateConflict,
  resolveRenameConflict,
  temporaryName,
} from './conflict.ts';
import { takeExisting } from './existing-groups.ts';
import { keepsMembersOnly, mustExist } from './group-modes.ts';
import { isBare } from './owed-passwords.ts';
import { afterCreation, noteOfRefusal, passwordToSay, sayPassword } from './password.ts';
import { failureOf, finish, type Result, resultOf, setAside, stepOn, withhold } from './result.ts';
import { leaveGroup, remoteMembers, sayMembers, wholeOnly } from './say-members.ts';
import { findOurs, removeTwin, settleDoubt, settleTwin } from './settle-doubt.ts';
import { storableText } from './storable-text.ts';
import { deliverWithoutBody } from './without-body.ts';

/**
 * One attempt at one account (design section 3, step 6): what is wished, what the target holds as far as we know, and
 * the one thing to say so that both agree. Level, not edge: nothing here knows what the change was.
 *
 * In order: nobody lets it in -> rest. In doubt -> find out first. Absent wished -> remove by policy. Nothing kept of what
 * was only forwarded -> what can be said without (`without-body.ts`). No remote -> create. A password is owed -> say it. Something differs -> update. Memberships to say -> say a chunk. Nothing -> done.
 *
 * One attempt sends at most one mutation; whatever comes after it is the next attempt's.
 */
export async function deliverAccount(claim: Claim, courier: Courier, lookups: DeliverLookups): Promise<Result> {
  const { account, open } = claim;
  if (claim.wish === 'rest') {
    const everThere = account.remote_id !== null || claim.doubt !== null;
    if ((claim.subject?.life ?? 'gone') === 'gone' && !everThere) return removeAccount(claim, courier, lookups);
    return finish(claim, 'none', {
      state: 'unbound',
      reason: open.sends(account.kind)
        ? 'no service provider that spoke for it is bound to this target: nothing is sent, nothing removed'
        : `the settings or the policy of this target send no ${account.kind}s: nothing is sent, nothing removed`,
      doubt: 'keep',
      news: { news: 'nothing' },
    });
  }
  const twin = await settleTwin(claim, courier, lookups);
  if (twin) return twin;
  if (claim.wish === 'absent') return removeAccount(claim, courier, lookups);
  if (lacksBody(claim.subject)) {
    return deliverWithoutBody(claim, courier, lookups, {
      members: ({ patch, membersPerRequest }, remoteId, known) =>
        patch
          ? sayMembers(claim, courier, lookups, membersPerRequest, remoteId, JSON.stringify(known))
          : keepsMembersOnly(claim)
            ? Promise.resolve(wholeOnly(claim))
            : updateWholeGroup(claim, courier, lookups, remoteId, known, false, JSON.stringify(known)),
    });
  }
  if (hasNothingToSay(claim)) return claim.probe ? askForLife(claim, courier) : finish(claim, 'none', quiet);

  const described = await open.connector.describe(courier);
  if (described.outcome !== 'done') return fail(claim, courier, 'none', described, claim.doubt === null);

  let known = parseAttributes(account.acked);
  if (claim.doubt !== null || (claim.subject?.forwarded && account.remote_id !== null)) {
    const settled = await settleDoubt(claim, courier, lookups);
    if ('outcome' in settled) return settled;
    known = settled.known ?? known;
  }
  return account.remote_id === null
    ? createAccount(claim, courier, lookups, described)
    : updateAccount(claim, courier, lookups, described, account.remote_id, known ?? {});
}

const quiet = { news: { news: 'nothing' } } as const;

/** The target confirmed all that it should hold (rule 12). Told without asking it, so that a wave over everybody costs it nothing. */
function hasNothingToSay(claim: Claim): boolean {
  const { account } = claim;
  if (claim.doubt !== null || account.remote_id === null || account.pw_seq !== null) return false;
  // What it was told is not kept, so it is asked what it holds.
  if (claim.subject?.forwarded) return false;
  if (account.wait_on !== null || claim.links.length > 0) return false;
  if (keepsMembersOnly(claim)) return true;
  const known = parseAttributes(account.acked) ?? {};
  const { set, unset } = differenceOf(desiredOf(claim, claim.attributes), known, managedPaths(claim, known));
  return Object.keys(set).length === 0 && unset.length === 0;
}

/** A held lane finds out by its probe whether its trouble is over, so a probe asks even where there is nothing to say. */
async function askForLife(claim: Claim, courier: Courier): Promise<Result> {
  const { account, open } = claim;
  const read = await open.connector.read(courier, account.kind, account.remote_id!);
  if (read.outcome === 'done') return finish(claim, 'read');
  if (read.outcome === 'absent') return setAside(claim, 'read', read.reason);
  return fail(claim, courier, 'read', read, true);
}

/** What the target should hold: an account that we found switched off is not switched on by us (rule 16). */
function desiredOf(claim: Claim, wanted: Attributes): Attributes {
  return claim.account.origin === 'adopted-inactive' && wanted['active'] === true
    ? { ...wanted, active: false }
    : wanted;
}

/** What the walk has to ask of our own tables, each a short read outside any transaction. */
export interface DeliverLookups extends ConflictLookups {
  /**
   * Every member of a group that has a remote id at the target, by the mode the group is kept in by now. For targets that
   * take only the whole.
   */
  listRemoteMembers(targetId: number, groupId: string): Promise<RemoteMember[]>;
  /** Marks all memberships of the group that are to be said as said by this attempt, and gives them. */
  claimAllLinks(claim: Claim): Promise<LinkRow[]>;
}

/** Removal by the target's policy. Removes only what we own or what bears our mark (rules 7 and 16). */
async function removeAccount(claim: Claim, courier: Courier, lookups: DeliverLookups): Promise<Result> {
  const { account, open } = claim;
  const { policy } = open.target;
  const how = isAdopted(account) ? policy.deprovisionAdopted : policy.deprovision;
  if (account.remote_id === null) {
    if (claim.doubt === null) return finish(claim, 'none', { drop: true, news: { news: 'nothing' } });
    const found = await findOurs(claim, courier, lookups);
    if (found.outcome !== 'done') return fail(claim, courier, 'find', found, false);
    if (found.twin !== undefined) return removeTwin(claim, courier, found.twin);
    if (found.remote === undefined) {
      return finish(claim, 'find', { drop: true, reason: 'the target has nothing that bears our mark' });
    }
    return stepOn(claim, 'find', {
      remoteId: found.remote.remoteId,
      acked: JSON.stringify(found.remote.attributes),
      origin: account.origin ?? 'created',
    });
  }
  if (keepsMembersOnly(claim)) return leaveGroup(claim, courier, lookups, account.remote_id);
  if (how === 'keep' || (how === 'disable' && account.kind === 'group')) {
    return finish(claim, 'none', { state: 'kept', doubt: 'keep', news: { news: 'nothing' } });
  }
  return how === 'disable'
    ? disableAccount(claim, courier, account.remote_id)
    : deleteAccount(claim, courier, account.remote_id);
}

async function deleteAccount(claim: Claim, courier: Courier, remoteId: string): Promise<Result> {
  const withheld = withhold(claim, 'DELETE', { doubt: 'keep' });
  if (withheld) return withheld;
  const removed = await claim.open.connector.remove(courier, claim.account.kind, remoteId);
  if (removed.outcome === 'done') return finish(claim, 'remove', { remoteId: null, acked: null, drop: true });
  if (removed.outcome === 'absent') return setAside(claim, 'remove', removed.reason);
  return fail(claim, courier, 'remove', removed, false);
}

async function disableAccount(claim: Claim, courier: Courier, remoteId: string): Promise<Result> {
  const { account, open } = claim;
  const acked = parseAttributes(account.acked) ?? {};
  if (claim.doubt === null && acked['active'] === false) {
    return finish(claim, 'none', { state: 'disabled', news: { news: 'nothing' } });
  }
  const withheld = withhold(claim, 'DELETE', { doubt: 'keep' });
  if (withheld) return withheld;
  const described = await open.connector.describe(courier);
  if (described.outcome !== 'done') return fail(claim, courier, 'disable', described, claim.doubt === null);
  let whole = acked;
  if (claim.subject?.forwarded && !described.patch) {
    // What it was told is not kept, and such a target takes only the whole.
    const read = await open.connector.read(courier, account.kind, remoteId);
    if (read.outcome === 'absent') return setAside(claim, 'disable', read.reason);
    if (read.outcome !== 'done') return fail(claim, courier, 'disable', read, false);
    whole = read.remote.attributes;
  }
  const attributes = { ...whole, active: false };
  const updated = await open.connector.update(courier, {
    kind: account.kind,
    remoteId,
    attributes,
    set: { active: false },
    unset: [],
  });
  if (updated.outcome === 'done') {
    // Other attributes may be in doubt still: `acked` stays what it was but for this one, and the doubt with it.
    return finish(claim, 'disable', {
      state: 'disabled',
      acked: JSON.stringify(attributes),
      origin: account.origin === 'adopted-inactive' ? 'adopted' : account.origin,
      doubt: claim.doubt === null ? 'clear' : 'keep',
    });
  }
  if (updated.outcome === 'absent') return setAside(claim, 'disable', updated.reason);
  if (updated.outcome === 'exists') {
    // Nothing unique was sent, so it is a conflict that may pass; a leaver does not park at the first.
    const { reason } = updated;
    return resultOf(claim, {
      operation: 'disable',
      outcome: 'exists',
      reason,
      doubt: 'keep',
      failed: true,
      strike: 'always',
    });
  }
  return fail(claim, courier, 'disable', updated, false);
}

async function createAccount(
  claim: Claim,
  courier: Courier,
  lookups: DeliverLookups,
  described: Described,
): Promise<Result> {
  const { account } = claim;
  const withheld = withhold(claim, 'POST');
  if (withheld) return withheld;
  if (mustExist(claim)) return takeExisting(claim, courier, lookups);
  // Almost no account has one.
  const decision = account.decision === null ? undefined : await lookups.decisionOf(account.decision);
  if (decision?.what === 'adopt') {
    if (decision.name === storableText(claim.name)) return adoptAsDecided(claim, courier, lookups, decision);
    const why = `it was to be "${decision.name}" there when that was decided, and is to be "${claim.name}" by now`;
    const made = await makeAccount(claim, courier, lookups, described);
    return { ...made, decided: { how: 'superseded', why } };
  }
  return makeAccount(claim, courier, lookups, described);
}

async function makeAccount(
  claim: Claim,
  courier: Courier,
  lookups: DeliverLookups,
  described: Described,
): Promise<Result> {
  const { account, open } = claim;
  const most = account.chunk === 0 ? 0 : (described.membersAtCreation ?? described.membersPerRequest);
  const links = claim.links.filter((link) => link.op === 'add').slice(0, most);
  const bare = isBare(account);
  const password = bare ? 'none' : passwordToSay(claim);
  const carried = bare ? 'none' : password ? 'clear' : open.connector.hasDefaultPassword ? 'default' : 'none';
  const created = await open.connector.create(courier, {
    kind: account.kind,
    attributes: claim.attributes,
    ...(account.kind === 'group' && links.length > 0 ? { members: await remoteMembers(links, lookups, claim) } : {}),
    ...(password === undefined ? {} : { password }),
  });
  switch (created.outcome) {
    case 'done': {
      const fate = afterCreation(claim, carried);
      const change: Partial<Result> = {
        remoteId: created.remoteId,
        acked: JSON.stringify(claim.attributes),
        origin: 'created',
        chunk: null,
        said: links.map((link) => ({ link })),
        password: fate,
      };
      const owesStill = fate.fate === 'kept' && passwordToSay(claim) !== undefined;
      return owesStill ? stepOn(claim, 'create', change) : finish(claim, 'create', change);
    }
    case 'exists':
      return resolveCreateConflict(claim, courier, lookups, created.reason);
    case 'refused':
      if (created.rights) return fail(claim, courier, 'create', created, true);
      // Perhaps it is a member that it does not like: make the group bare, the members follow one chunk at a time.
      if (links.length > 0)
        return resultOf(claim, { operation: 'create', outcome: 'refused', reason: created.reason, chunk: 0 });
      // Perhaps it is the password: once without it tells.
      if (account.kind === 'user' && carried !== 'none') {
        return resultOf(claim, {
          operation: 'create',
          outcome: 'refused',
          reason: `${created.reason}; tried once more without a password`,
          chunk: 0,
          password: { fate: 'kept', note: noteOfRefusal(created.reason, carried) },
        });
      }
      // It was not the password: whoever tries again begins with it again.
      return fail(claim, courier, 'create', created, true, bare ? notThePassword : {});
    default: {
      // Nothing of ours was there before: what is found later is this, with its password.
      const sent: Partial<Result> = { password: { fate: 'doubtful', sent: 'created' } };
      const doubtful = created.outcome === 'unknown' && courier.mutated && carried === 'clear';
      return fail(claim, courier, 'create', created, true, doubtful ? sent : {});
    }
  }
}

const notThePassword: Partial<Result> = { chunk: null, password: { fate: 'kept', note: null } };

async function updateAccount(
  claim: Claim,
  courier: Courier,
  lookups: DeliverLookups,
  described: Described,
  remoteId: string,
  known: Attributes,
): Promise<Result> {
  const { account, open } = claim;
  const nameAttribute = open.nameAttribute[account.kind];
  // Whoever bears a temporary name already has done its part of opening the circle.
  const breaksCycle =
    account.wait_on !== null &&
    !keepsMembersOnly(claim) &&
    known[nameAttribute] !== temporaryName(claim) &&
    (await lookups.waitsOn(open.target.id, account.wait_on, account.subject_id));
  const wanted = breaksCycle ? { ...claim.attributes, [nameAttribute]: temporaryName(claim) } : claim.attributes;
  const desired = desiredOf(claim, wanted);
  const managed = managedPaths(claim, known);
  const { set, unset } = keepsMembersOnly(claim) ? { set: {}, unset: [] } : differenceOf(desired, known, managed);
  const differs = Object.keys(set).length > 0 || unset.length > 0;
  const acked = JSON.stringify(known);
  const password = passwordToSay(claim);
  const passwordWithheld = password === undefined ? undefined : withhold(claim, 'PATCH', { acked });
  if (password !== undefined && passwordWithheld === undefined) {
    return sayPassword(claim, courier, { remoteId, password, known, managed, more: differs });
  }
  // Rules may withhold a password and let the rest through; the password's turn comes again after it.
  if (passwordWithheld !== undefined && !differs) return passwordWithheld;
  if (keepsMembersOnly(claim) && !described.patch && claim.links.length > 0) return wholeOnly(claim);
  if (account.kind === 'group' && !described.patch && !keepsMembersOnly(claim))
    return updateWholeGroup(claim, courier, lookups, remoteId, desired, differs, acked);
  if (!differs) {
    if (claim.links.length > 0)
      return sayMembers(claim, courier, lookups, described.membersPerRequest, remoteId, acked);
    return finish(claim, claim.doubt === null ? 'none' : 'read', {
      acked,
      ...(claim.doubt === null ? { news: { news: 'nothing' } } : {}),
    });
  }
  const withheld = withhold(claim, 'PUT', { acked });
  if (withheld) return withheld;
  const updated = await open.connector.update(courier, {
    kind: account.kind,
    remoteId,
    attributes: desired,
    set,
    unset,
  });
  switch (updated.outcome) {
    case 'done': {
      const change: Partial<Result> = {
        acked: JSON.stringify(desired),
        ...(account.origin === 'adopted-inactive' && wanted['active'] === false ? { origin: 'adopted' } : {}),
      };
      if (breaksCycle) {
        return stepOn(claim, 'rename', { ...change, state: 'waiting', waitOn: account.wait_on, againInMs: waitMs });
      }
      const more = claim.links.length > 0 || passwordWithheld !== undefined;
      return more ? stepOn(claim, 'update', change) : finish(claim, 'update', change);
    }
    case 'absent':
      return setAside(claim, 'update', updated.reason);
    case 'exists':
      return resolveRenameConflict(claim, courier, lookups, updated.reason, acked);
    default:
      return fail(claim, courier, 'update', updated, true, { acked, password: { fate: 'kept' } });
  }
}

/** Who waits for another account is woken by it; this is only the time after which it looks again by itself. */
const waitMs = 30_000;

/**
 * What we keep in step: everything the mapping knows. For an account we adopted, attributes that we have nothing to
 * say about stay as they were found.
 */
function managedPaths(claim: Claim, known: Attributes): string[] {
  const { account, open } = claim;
  const paths = open.rows.filter((row) => row.kind === account.kind).map((row) => row.to);
  if (!isAdopted(account)) return paths;
  const asked = claim.doubt !== null || claim.subject?.forwarded !== undefined;
  const acked = asked ? (parseAttributes(account.acked) ?? {}) : known;
  const doubtful = claim.doubt?.paths ?? [];
  return paths.filter((path) => path in claim.attributes || path in acked || doubtful.includes(path));
}

/** A target without PATCH takes the whole group, members included. */
async function updateWholeGroup(
  claim: Claim,
  courier: Courier,
  lookups: DeliverLookups,
  remoteId: string,
  attributes: Attributes,
  differs: boolean,
  acked: string,
): Promise<Result> {
  if (!differs && claim.links.length === 0 && claim.doubt === null) {
    return finish(claim, 'none', { acked, news: { news: 'nothing' } });
  }
  const withheld = withhold(claim, 'PUT', { acked });
  if (withheld) return withheld;
  const links = await lookups.claimAllLinks(claim);
  const members = await lookups.listRemoteMembers(claim.open.target.id, claim.account.subject_id);
  const updated = await claim.open.connector.update(courier, {
    kind: 'group',
    remoteId,
    attributes,
    set: attributes,
    unset: [],
    members,
  });
  switch (updated.outcome) {
    case 'done':
      return finish(claim, 'update', { acked: JSON.stringify(attributes), said: links.map((link) => ({ link })) });
    case 'absent':
      return setAside(claim, 'update', updated.reason);
    case 'exists':
      return resolveRenameConflict(claim, courier, lookups, updated.reason, acked);
    default:
      return fail(claim, courier, 'update', updated, true, { acked });
  }
}

function fail(
  claim: Claim,
  courier: Courier,
  operation: Result['operation'],
  failure: Failure,
  settled: boolean,
  change: Partial<Result> = {},
): Result {
  return failureOf(claim, operation, failure, { settled, mutated: courier.mutated, change });
}

function parseAttributes(text: string | null): Attributes | undefined {
  return text === null ? undefined : (JSON.parse(text) as Attributes);
}
