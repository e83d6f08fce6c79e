import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { fold } from '../base/fold.ts';
import { Problem } from '../base/problem.ts';
import type { Secret } from '../base/secret.ts';
import type { Forwarding } from '../directory/changes.ts';
import { dropPrimaryPrefix } from '../directory/names.ts';
import { findSignIn, hashPassword, type SignIn, verifyPassword } from '../directory/passwords.ts';
import {
  forgetWrongPasswords,
  lockedForMs,
  nobody,
  noteWrongPassword,
  wrongPasswordsAtMost,
} from '../directory/sign-in-locks.ts';
import type { Store } from '../store/store.ts';
import {
  type ApiToken,
  apiTokenPrefix,
  createApiToken,
  digestToken,
  findApiToken,
  noteTokenUse,
  revokeApiToken,
  type TokenScope,
} from './api-tokens.ts';
import { openGate } from './gate.ts';
import { openMemory } from './memory.ts';
import { type Access, findAccess } from './oauth-artifacts.ts';
import type { OAuthScope } from './oauth-clients.ts';
import { findOperator, type Operator, type Role, readOperator, setOperatorHash } from './operators.ts';
import {
  createSession,
  digestSession,
  endSession,
  endSessionsOf,
  findSession,
  isWorthRenewing,
  renewSession,
  type Session,
} from './sessions.ts';
import { openThrottle } from './throttle.ts';

/** Who calls, and for whom. */
export type Caller = {
  /** As it is written into changes. */
  actor: string;
  /** The responsible service provider: the resident one for Basic, the token's own for a token. */
  spId: number;
  /** `undefined` for whoever is no operator. */
  operatorId: number | undefined;
  /** The directory user who calls for themself; absent for operators and tokens. */
  userId?: string;
  /** At doors that forward: how (`Origin`). */
  forwarding?: Forwarding;
  /** What it may do in the admin API, `user` nothing; a token with the scope `admin` may do everything. */
  role: Role | 'user';
  by: 'basic' | 'token' | 'session';
  /** The password must be changed before anything else. */
  mustChange: boolean;
};

/** What a request at a SCIM door is about to do. */
export type ScimNeed = 'read' | 'write';

/**
 * Who may come in: operators by Basic (RFC 7617), API tokens and access tokens of OAuth 2.0 by Bearer (RFC 6750), and where a door says so directory
 * users by Basic. What was verified is remembered for a while, so that argon2id is not asked at every request, nor the
 * database for operators and tokens; an old password of an operator and a revoked token are refused within five seconds
 * on every node, an old password at once on the node that changed it. A directory user's password, and whether they are
 * active, holds at once everywhere.
 */
export type Credentials = {
  /**
   * The caller of a SCIM door: any operator, an API token with the scope `scim`, or an access token with `scim.read` or
   * `scim.write`, as `need` says (default `write`). Throws `Problem`: `notAuthenticated`, `notAllowed`,
   * `passwordChangeRequired`, `tooManyRequests` (wrong passwords), `overloaded`.
   */
  authenticateScim(authorization: string | undefined, need?: ScimNeed): Promise<Caller>;
  /**
   * The same, and also directory users who are active and have a password, by userName and password: they have
   * `userId`, and the door lets them do nothing but what is their own. An operator of that name goes first;
   * `PRIMARY/ada` is the user then.
   */
  authenticateScimOrUser(authorization: string | undefined, need?: ScimNeed): Promise<Caller>;
  /**
   * The same as `authenticateScim` for whoever may use the admin API, each as far as its role goes: an administrator,
   * operator or auditor, or a token with the scope `admin`. `mayBeDue`: also while a password must be changed.
   */
  authenticateAdmin(authorization: string | undefined, options: { mayBeDue: boolean }): Promise<Caller>;
  /** The same by the token of a session, which it makes last longer. */
  authenticateSession(token: string, options: { mayBeDue: boolean }): Promise<Caller>;
  /**
   * Begins a session for whoever may use the admin API; also while a password must be changed. The token is shown here
   * and never again. Throws as `authenticateAdmin` does.
   */
  signIn(name: string, password: Secret): Promise<{ caller: Caller; token: string }>;
  /**
   * A directory user who is active and not locked, by userName and password. Slowed down as signing in is; throws
   * `notAuthenticated`, `tooManyRequests`, `overloaded`.
   */
  signInUser(name: string, password: Secret): Promise<{ userId: string; userName: string }>;
  /** Ends a session: at once on this node, within five seconds on every other. Safe to repeat. */
  signOut(token: string): Promise<void>;
  /** Whether this is the operator's password. Slowed down as signing in is; throws `tooManyRequests`, `overloaded`. */
  isPasswordOf(operatorId: number, password: Secret): Promise<boolean>;
  /**
   * The operator's own choice: nothing is due any more, and all sessions but `keeping` end. Callers check its quality.
   */
  changePassword(operatorId: number, password: Secret, keeping?: string): Promise<void>;
  /** Whatever this node remembers of operators and their sessions is read again: after a change of role, or an end. */
  forgetOperators(): void;
  /** The token is shown here and never again. `expiresAt` in milliseconds of database time. */
  createToken(input: {
    label: string;
    spId: number;
    scopes: readonly string[];
    expiresAt: number | undefined;
  }): Promise<{ id: number; token: string }>;
  /**
   * Whether there was such a token. It is refused at once on this node (a request that is being admitted at that very
   * moment aside) and within five seconds on every other. Safe to repeat.
   */
  revokeToken(id: number): Promise<boolean>;
};

type Scope = `scim.${ScimNeed}` | 'admin';
type Admitted = Caller & { scopes: readonly (Scope | 'self')[] };

/** Whose password is verified; none: it is wrong whatever it is. */
type Holder = { key: string; hash: string; userId?: string; failures?: number } | undefined;

/** How long a row of `operators` or `api_tokens` is believed without being read again. */
const rowFreshMs = 2_000;
const rememberMs = 5 * 60_000;
/** argon2id takes memory by the dozen megabytes: so many at once, so many more waiting. */
const verifyingAtOnce = 4;
const waitingAtMost = 64;
/** `last_used_at` is not written more often. */
const useNotedEveryMs = 60_000;

export function openCredentials({ store, clock }: { store: Store; clock: Clock }): Credentials {
  const processKey = randomBytes(32);
  const throttle = openThrottle(clock);
  const gate = openGate({ atOnce: verifyingAtOnce, waitingAtMost });
  /** Digest of name and password -> whose hash they were verified against. */
  const remembered = openMemory<NonNullable<Holder>>(clock, rememberMs);
  const operators = openMemory<Operator>(clock, rowFreshMs);
  const operatorsById = openMemory<Operator>(clock, rowFreshMs);
  const sessions = openMemory<Session>(clock, rowFreshMs);
  const tokens = openMemory<ApiToken>(clock, rowFreshMs);
  const accesses = openMemory<Access>(clock, rowFreshMs);
  const verifying = new Map<string, Promise<boolean>>();
  const noted = openMemory<true>(clock, useNotedEveryMs);
  let residentId: number | undefined;
  /** What a name nobody has is verified against, so that it takes as long. */
  let nobodysHash: Promise<string> | undefined;

  async function admit(authorization: string | undefined, users: 'and users' | 'no users'): Promise<Admitted> {
    if (authorization === undefined) return refuse('Send credentials: Basic or a bearer token.');
    const space = authorization.indexOf(' ');
    const scheme = authorization.slice(0, space).toLowerCase();
    const rest = authorization.slice(space + 1).trim();
    if (scheme === 'bearer') return rest.startsWith(apiTokenPrefix) ? admitToken(rest) : admitAccess(rest);
    if (scheme === 'basic') return admitByPassword(rest, users);
    return refuse('Send credentials as Basic or as a bearer token.');
  }

  async function admitToken(token: string): Promise<Admitted> {
    const digest = digestToken(token);
    let row = tokens.get(digest);
    if (!row) {
      row = await store.read((reading) => findApiToken(reading, digest));
      if (!row) return refuse('The token is not known. It may have been revoked.');
      tokens.set(digest, row);
    }
    const now = store.now();
    if (row.expires_at !== null && row.expires_at <= now) return refuse('The token has expired.');
    noteUse(row, now);
    return {
      actor: `token ${row.label}`,
      spId: row.sp_id,
      operatorId: undefined,
      role: 'administrator',
      by: 'token',
      scopes: (row.scopes.split(' ') as TokenScope[]).flatMap((scope) => scopesOfToken[scope]),
      mustChange: false,
    };
  }

  /** An access token of a service provider's OAuth client: it calls for that service provider, as far as its scopes go. */
  async function admitAccess(token: string): Promise<Admitted> {
    const digest = digestToken(token);
    let access = accesses.get(digest);
    if (!access) {
      access = await store.read((reading) => findAccess(reading, token));
      if (!access) return refuse('The token is not known. It may have been revoked.');
      accesses.set(digest, access);
    }
    const { spId, spName, scopes, expiresAt } = access;
    if (expiresAt !== null && expiresAt <= store.now()) return refuse('The token has expired. Get a new one.');
    const role = roles.find(([scope]) => scopes.includes(scope))?.[1];
    return {
      actor: `application ${spName}`,
      spId,
      operatorId: undefined,
      role: role ?? 'service',
      by: 'token',
      scopes: [
        ...(scopes.filter((scope) => scope.startsWith('scim.')) as Scope[]),
        ...(role ? ['admin' as const] : []),
      ],
      mustChange: false,
    };
  }

  /** Outside the request: it waits for nothing, and a failure to note is no failure of the call. */
  function noteUse({ id }: ApiToken, now: number): void {
    if (noted.get(String(id))) return;
    noted.set(String(id), true);
    store.write((tx) => noteTokenUse(tx, id, now)).catch(() => {});
  }

  async function admitByPassword(encoded: string, users: 'and users' | 'no users'): Promise<Admitted> {
    const pair = Buffer.from(encoded, 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    if (colon < 0) return refuse('The Basic credentials cannot be read: they are base64 of name, colon, password.');
    const name = pair.slice(0, colon);
    if (name.includes('\0')) return refuse('The name or the password is wrong.');
    const operator = await findFresh(name);
    const user =
      operator || users === 'no users' ? undefined : await store.read((reading) => findSignIn(reading, name));
    const about = operator || users === 'no users' ? 'operator' : 'user';
    await verify(name, pair, holderOf(operator, user), about);
    if (operator) return admitted(operator, 'basic');
    const { id, userName } = user!;
    return {
      actor: `user ${userName}`,
      userId: id,
      operatorId: undefined,
      spId: await readResidentId(),
      role: 'user',
      by: 'basic',
      scopes: ['self'],
      mustChange: false,
    };
  }

  async function readResidentId(): Promise<number> {
    residentId ??= await store.read(async (reading) => {
      const query = reading.q.selectFrom('service_providers').select('id').where('resident', '=', 1);
      return (await reading.first<{ id: number }>(query as never))!.id;
    });
    return residentId;
  }

  async function admitted(operator: Operator, by: 'basic' | 'session'): Promise<Admitted> {
    return {
      actor: operator.name,
      spId: await readResidentId(),
      operatorId: operator.id,
      role: operator.role,
      by,
      scopes: scopesOf[operator.role],
      mustChange: operator.must_change === 1,
    };
  }

  /** The operator of that name, whose password this is. */
  async function verifyOperator(name: string, password: string): Promise<Operator> {
    // Neither can be in a name, and a colon would make it another name with another password.
    if (/[:\0]/.test(name)) return refuse('The name or the password is wrong.');
    const operator = await findFresh(name);
    await verify(name, `${name}:${password}`, holderOf(operator, undefined), 'operator');
    return operator!;
  }

  async function admitSession(token: string): Promise<Admitted> {
    const digest = digestSession(token);
    let row = sessions.get(digest);
    if (!row) {
      row = await store.read((reading) => findSession(reading, digest));
      if (!row) return refuse('The session has ended. Sign in again.');
      sessions.set(digest, row);
    }
    const now = store.now();
    if (row.expires_at <= now) return refuse('The session has ended. Sign in again.');
    const { operator_id: operatorId } = row;
    let operator = operatorsById.get(String(operatorId));
    if (!operator) {
      operator = await store.read((reading) => readOperator(reading, operatorId));
      if (!operator) return refuse('The session has ended. Sign in again.');
      operatorsById.set(String(operatorId), operator);
    }
    if (isWorthRenewing(row, now)) {
      const expiresAt = await store.write((tx) => renewSession(tx, row));
      sessions.set(digest, { ...row, renewed_at: now, expires_at: expiresAt });
    }
    return admitted(operator, 'session');
  }

  function forgetOperators(): void {
    operators.clear();
    operatorsById.clear();
    sessions.clear();
    remembered.clear();
  }

  async function findFresh(name: string): Promise<Operator | undefined> {
    const key = fold(name);
    const fresh = operators.get(key);
    if (fresh) return fresh;
    const row = await store.read((reading) => findOperator(reading, name));
    if (row) operators.set(key, row);
    return row;
  }

  /**
   * Many requests with the same credentials at once are verified once. Throws unless the password is the holder's. Wrong
   * ones of directory users are counted in the database, also where there is nobody of that name.
   */
  async function verify(name: string, pair: string, holder: Holder, about: 'operator' | 'user'): Promise<void> {
    const digest = createHmac('sha256', processKey).update(pair).digest('base64');
    const known = remembered.get(digest);
    if (holder && known?.key === holder.key && known.hash === holder.hash) return;
    const throttled = fold(dropPrimaryPrefix(name));
    let right = verifying.get(digest);
    if (!right) {
      throttle.check(throttled);
      right = gate(async () => {
        nobodysHash ??= hashPassword(randomBytes(16).toString('hex'));
        const matches = await verifyPassword(holder?.hash ?? (await nobodysHash), pair.slice(pair.indexOf(':') + 1));
        if (!holder || !matches) {
          throttle.fail(throttled);
          if (about === 'user') await store.write((tx) => noteWrongPassword(tx, holder?.userId ?? nobody));
          return false;
        }
        throttle.succeed(throttled);
        const { userId, failures = 0 } = holder;
        if (userId !== undefined && failures > 0) await store.write((tx) => forgetWrongPasswords(tx, userId));
        remembered.set(digest, holder);
        return true;
      }).finally(() => verifying.delete(digest));
      verifying.set(digest, right);
    }
    if (!(await right) || !holder) refuse('The name or the password is wrong.');
  }

  function check(caller: Admitted, scope: Scope, mayBeDue: boolean): Caller {
    if (!caller.scopes.includes(scope)) {
      throw new Problem('notAllowed', `These credentials are not allowed here: they lack the scope "${scope}".`);
    }
    if (caller.mustChange && !mayBeDue) {
      throw new Problem(
        'passwordChangeRequired',
        'The password must be changed first: POST /api/password with {"newPassword": "..."}.',
      );
    }
    return caller;
  }

  return {
    authenticateScim: async (authorization, need = 'write') =>
      check(await admit(authorization, 'no users'), `scim.${need}`, false),
    async authenticateScimOrUser(authorization, need = 'write') {
      const caller = await admit(authorization, 'and users');
      return caller.userId === undefined ? check(caller, `scim.${need}`, false) : caller;
    },
    authenticateAdmin: async (authorization, { mayBeDue }) =>
      check(await admit(authorization, 'no users'), 'admin', mayBeDue),
    authenticateSession: async (token, { mayBeDue }) => check(await admitSession(token), 'admin', mayBeDue),
    async signIn(name, password) {
      const operator = await verifyOperator(name, password.reveal());
      const caller = check(await admitted(operator, 'session'), 'admin', true);
      const token = await store.write((tx) => createSession(tx, operator.id));
      return { caller, token };
    },
    async signInUser(name, password) {
      if (/[:\0]/.test(name)) return refuse(wrongOrLocked);
      const user = await store.read((reading) => findSignIn(reading, name));
      try {
        await verify(name, `${name}:${password.reveal()}`, holderOf(undefined, user), 'user');
      } catch (error) {
        if (error instanceof Problem && error.code === 'notAuthenticated') return refuse(wrongOrLocked);
        throw error;
      }
      return { userId: user!.id, userName: user!.userName };
    },
    async signOut(token) {
      const digest = digestSession(token);
      await store.write((tx) => endSession(tx, digest));
      sessions.clear();
    },
    async isPasswordOf(operatorId, password) {
      const operator = await store.read((reading) => readOperator(reading, operatorId));
      if (!operator) return false;
      try {
        await verifyOperator(operator.name, password.reveal());
        return true;
      } catch (error) {
        if (error instanceof Problem && error.code === 'notAuthenticated') return false;
        throw error;
      }
    },
    async changePassword(operatorId, password, keeping) {
      const hash = await hashPassword(password.reveal());
      const keep = keeping === undefined ? undefined : digestSession(keeping);
      await store.write(async (tx) => {
        await setOperatorHash(tx, operatorId, hash);
        await endSessionsOf(tx, operatorId, keep);
      });
      forgetOperators();
    },
    forgetOperators,
    async createToken({ label, spId, scopes, expiresAt }) {
      const input = { label, spId, scopes: scopes as TokenScope[], expiresAt };
      return store.write((tx) => createApiToken(tx, input));
    },
    async revokeToken(id) {
      const wasThere = await store.write((tx) => revokeApiToken(tx, id));
      tokens.clear();
      return wasThere;
    },
  };
}

function holderOf(operator: Operator | undefined, user: SignIn | undefined): Holder {
  if (operator) return { key: `operator ${operator.id}`, hash: operator.hash };
  // Who is locked is nobody: the right password is as wrong as any, and takes as long.
  if (!user?.active || user.locked) return undefined;
  return { key: `user ${user.id}`, hash: user.hash, userId: user.id, failures: user.failures };
}

/** The same whether there is somebody of that name, locked or not. */
const wrongOrLocked = `The name or the password is wrong. After ${wrongPasswordsAtMost} wrong passwords signing in with a name is locked for ${lockedForMs / 60_000} minutes, also with the right password; an administrator can unlock it.`;

const scim: readonly Scope[] = ['scim.read', 'scim.write'];
const scopesOfToken: Readonly<Record<TokenScope, readonly Scope[]>> = { scim, admin: ['admin'] };
const scopesOf: Readonly<Record<Role, readonly Scope[]>> = {
  administrator: [...scim, 'admin'],
  operator: ['admin'],
  auditor: ['admin'],
  service: scim,
};

/** What an application may do in the admin API, by its scopes; the first that it has counts. */
const roles: readonly (readonly [OAuthScope, Role])[] = [
  ['admin', 'administrator'],
  ['admin.operate', 'operator'],
  ['admin.read', 'auditor'],
];

function refuse(detail: string): never {
  throw new Problem('notAuthenticated', detail);
}
