import type { SubjectKind } from '../../../src/connectors/connector.ts';
import type { Attributes, Json } from '../../../src/mapping/rows.ts';

/**
 * A target in memory: users and groups with unique names (compared without case), members, and a search that may lag
 * behind. It speaks no protocol; `connector.ts` beside it makes a connector of it.
 */
export type MemoryTarget = {
  readonly held: ReadonlyMap<string, Held>;
  /** Every password that was ever set, by the mark (externalId) of the account that had it then. */
  readonly passwords: ReadonlyMap<string, ReadonlySet<string>>;
  /** Carries a request out and answers; the answer may then be lost on its way. */
  carryOut(said: Said): Heard;
  /** Somebody else removes a resource. */
  removeThere(id: string): void;
  /** Somebody else's resource, which nobody of us made; answers with its id. Undefined where the name is taken. */
  putStranger(kind: SubjectKind, name: string): string | undefined;
  /** Somebody else renames it, to a name that nobody has. */
  renameThere(id: string, name: string): void;
};

export type Held = {
  id: string;
  kind: SubjectKind;
  attributes: Attributes;
  members: Set<string>;
  stranger: boolean;
  password?: string | undefined;
};

/** What a connector may say to it. */
export type Said =
  | { say: 'find'; kind: SubjectKind; externalId: string; names: readonly string[] }
  | { say: 'read'; kind: SubjectKind; id: string }
  | { say: 'create'; kind: SubjectKind; attributes: Attributes; members: readonly string[]; password?: string }
  | { say: 'update'; kind: SubjectKind; id: string; set: Attributes; unset: readonly string[]; members?: string[] }
  /** `whole`: by PUT, with all that the resource should hold. */
  | { say: 'password'; kind: 'user'; id: string; password: string; whole?: Attributes }
  | { say: 'members'; id: string; add: readonly string[]; remove: readonly string[] }
  | { say: 'remove'; kind: SubjectKind; id: string };

export type Shown = { id: string; attributes: Attributes };
export type Heard = { status: number; id?: string; found?: Shown[]; attributes?: Attributes };

export type TargetTraits = {
  patch: boolean;
  /** Whether *find* can ask for externalId; if not, only for names. */
  searchesExternalId: boolean;
  /** The search shows what was there this long ago; reading by id is always right. */
  lagMs: number;
  membersPerRequest: number;
  /** What becomes of a request that names a member who is not there. */
  unknownMember: 'refused' | 'left out';
};

export const nameOf = { user: 'userName', group: 'displayName' } as const;

export function openMemoryTarget(traits: TargetTraits, now: () => number): MemoryTarget {
  const held = new Map<string, Held>();
  const passwords = new Map<string, Set<string>>();
  const past: { at: number; rows: { id: string; kind: SubjectKind; attributes: Attributes }[] }[] = [];
  let made = 0;

  const keyOf = (attributes: Attributes, kind: SubjectKind) => String(attributes[nameOf[kind]] ?? '').toLowerCase();

  function isTaken(kind: SubjectKind, attributes: Attributes, self?: string): boolean {
    const key = keyOf(attributes, kind);
    return [...held.values()].some(
      (one) => one.kind === kind && one.id !== self && keyOf(one.attributes, kind) === key,
    );
  }

  /** Undefined when a member is not there and that is not forgiven. */
  function membersFrom(ids: readonly string[]): string[] | undefined {
    const there = ids.filter((id) => held.has(id));
    return there.length < ids.length && traits.unknownMember === 'refused' ? undefined : there;
  }

  function put(one: Held): void {
    held.set(one.id, one);
    if (one.password !== undefined) {
      const mark = String(one.attributes['externalId'] ?? '');
      passwords.set(mark, (passwords.get(mark) ?? new Set()).add(one.password));
    }
    remember();
  }

  function drop(id: string): void {
    held.delete(id);
    for (const other of held.values()) other.members.delete(id);
    remember();
  }

  function remember(): void {
    if (traits.lagMs === 0) return;
    past.push({ at: now(), rows: [...held.values()].map(({ id, kind, attributes }) => ({ id, kind, attributes })) });
  }

  function searched(): { id: string; kind: SubjectKind; attributes: Attributes }[] {
    if (traits.lagMs === 0) return [...held.values()];
    return past.findLast((one) => one.at <= now() - traits.lagMs)?.rows ?? [];
  }

  function carryOut(said: Said): Heard {
    switch (said.say) {
      case 'find': {
        const names = new Set(said.names.map((name) => name.toLowerCase()));
        const found = searched().filter(
          (one) =>
            one.kind === said.kind &&
            ((traits.searchesExternalId && one.attributes['externalId'] === said.externalId) ||
              names.has(keyOf(one.attributes, one.kind))),
        );
        return { status: 200, found: found.map(({ id, attributes }) => ({ id, attributes })) };
      }
      case 'read': {
        const one = held.get(said.id);
        return one?.kind === said.kind ? { status: 200, attributes: one.attributes } : { status: 404 };
      }
      case 'create': {
        if (isTaken(said.kind, said.attributes)) return { status: 409 };
        const members = membersFrom(said.members);
        if (!members) return { status: 400 };
        made += 1;
        const id = `${said.kind[0]}${made}`;
        const { kind, attributes, password } = said;
        put({ id, kind, attributes, members: new Set(members), stranger: false, password });
        return { status: 201, id };
      }
      case 'password': {
        const one = held.get(said.id);
        if (one?.kind !== 'user') return { status: 404 };
        const attributes = said.whole ?? one.attributes;
        if (isTaken('user', attributes, said.id)) return { status: 409 };
        put({ ...one, attributes, password: said.password });
        return { status: 204 };
      }
      case 'update': {
        const one = held.get(said.id);
        if (one?.kind !== said.kind) return { status: 404 };
        const attributes: Record<string, Json> = { ...one.attributes, ...said.set };
        for (const path of said.unset) delete attributes[path];
        if (isTaken(said.kind, attributes, said.id)) return { status: 409 };
        const members = said.members === undefined ? [...one.members] : membersFrom(said.members);
        if (!members) return { status: 400 };
        put({ ...one, attributes, members: new Set(members) });
        return { status: 204 };
      }
      case 'members': {
        const one = held.get(said.id);
        if (one?.kind !== 'group') return { status: 404 };
        const coming = membersFrom(said.add);
        if (!coming) return { status: 400 };
        put({ ...one, members: new Set([...one.members, ...coming].filter((id) => !said.remove.includes(id))) });
        return { status: 204 };
      }
      case 'remove': {
        if (held.get(said.id)?.kind !== said.kind) return { status: 404 };
        drop(said.id);
        return { status: 204 };
      }
    }
  }

  return {
    held,
    passwords,
    carryOut,
    removeThere: drop,
    putStranger(kind, name) {
      const attributes: Attributes =
        kind === 'user' ? { userName: name, active: true, title: 'was here before' } : { displayName: name };
      if (isTaken(kind, attributes)) return undefined;
      made += 1;
      const id = `s${made}`;
      put({ id, kind, attributes, members: new Set(), stranger: true });
      return id;
    },
    renameThere(id, name) {
      const one = held.get(id)!;
      put({ ...one, attributes: { ...one.attributes, [nameOf[one.kind]]: name } });
    },
  };
}
