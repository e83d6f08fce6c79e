import { Problem } from '../../../src/base/problem.ts';
import { Secret } from '../../../src/base/secret.ts';
import type { Origin } from '../../../src/directory/changes.ts';
import { createGroup, deleteGroup, replaceGroup } from '../../../src/directory/groups.ts';
import { createUser, deleteUser, replaceUser } from '../../../src/directory/users.ts';
import { readResource } from '../../../src/protocol/scim/resource.ts';
import { enterpriseUserUrn, groupType, userType } from '../../../src/protocol/scim/schema.ts';
import { decideAdoption, readConflict } from '../../../src/provisioning/decisions.ts';
import { retryAccount } from '../../../src/provisioning/retry.ts';
import type { AccountRow } from '../../../src/store/schema.ts';
import type { Store } from '../../../src/store/store.ts';
import type { Ground } from '../explorer/ground.ts';
import type { Applications, Speaker } from '../explorer/let-in.ts';
import type { LastPassword } from '../explorer/people.ts';

/** Writes that survive a fault: whoever calls a door and gets no answer, calls again. */
export type Write = <T>(work: (store: Store) => Promise<T>) => Promise<T>;

type Person = { userName: string; title?: string; manager?: string; outside?: boolean; password?: string };

/** What was done: the last password of everybody who got one, and who came by a sign-in that lets nobody in. */
export type Played = { passwords: Map<string, LastPassword>; signedInInVain: string[] };

/** Whoever signs in to `shop` is let in; whom `hr` makes goes by the bindings of the resident service provider. */
export const applications: Applications = {
  shop: { own: 'just in time', fallback: 'none' },
  hr: { own: 'none', fallback: 'resident' },
};
/** Somebody of this name is at the target before us. An operator is asked. */
export const strangerName = 'ivy';

/**
 * What happens to the directory in every run of the sweep: people come, are renamed, swap names, go, come back under
 * the name of a leaver, move out of scope and in again; groups are nested, with everybody in a group in those above it,
 * change members, go. Who is in a group `away`,
 * or in a group in it, is out of scope. People come by sign-ins and by an application, and an operator decides about
 * somebody whose name a stranger has. `rest` lets the engine bring all of it to the target.
 */
export async function playScenario(base: Ground, write: Write, rest: () => Promise<void>): Promise<Played> {
  const { origin, key, targetId } = base;
  const passwords = new Map<string, LastPassword>();
  const keeping = { key, lastsMs: 7 * 86_400_000 };
  const optionsOf = ({ password }: Person) =>
    password === undefined
      ? { origin }
      : { origin, passwordHash: `hash of ${password}`, clearPassword: { password: new Secret(password), keeping } };
  const noteOf = (id: string, { password }: Person) => {
    if (password !== undefined) passwords.set(id, { password, unclaimed: false });
    return id;
  };
  const optionsBy = (person: Person, by: Speaker) => ({ ...optionsOf(person), origin: base.originOf(by) });
  const add = (person: Person, by: Speaker = 'resident') =>
    write((store) => store.write((tx) => createUser(tx, userOf(person), optionsBy(person, by)))).then((made) =>
      noteOf(made.id, person),
    );
  const change = (id: string, person: Person, by: Speaker = 'resident') =>
    write((store) => store.write((tx) => replaceUser(tx, id, userOf(person), optionsBy(person, by)))).then(() =>
      noteOf(id, person),
    );
  const remove = (id: string) => write((store) => store.write((tx) => deleteUser(tx, id, { origin })));
  const addGroup = (name: string, members: string[]) =>
    write((store) => store.write((tx) => createGroup(tx, groupOf(name, members), { origin }))).then((made) => made.id);
  const changeGroup = (id: string, name: string, members: string[]) =>
    write((store) => store.write((tx) => replaceGroup(tx, id, groupOf(name, members), { origin })));

  /** Whoever is parked takes over what it met; where that is not to be had by now it is tried again first. */
  const decide = (id: string) =>
    write((store) =>
      store.write(async (tx) => {
        const query = tx.q.selectFrom('accounts').selectAll().where('target_id', '=', targetId);
        const account = (await tx.first(query.where('subject_id', '=', id))) as AccountRow | undefined;
        if (account?.state !== 'parked' || account.wanted > account.done) return;
        const [met] = (await readConflict(tx, account))?.remotes ?? [];
        if (!met) return retryAccount(tx, account);
        await decideAdoption(tx, { targetId, subjectId: id }, { remoteId: met.remoteId, actor: 'olga' });
      }),
    );

  const ada = await add({ userName: 'ada' });
  const bob = await add({ userName: 'bob', manager: ada, password: 'p1' });
  const cyd = await add({ userName: 'cyd', manager: bob });
  const dee = await add({ userName: 'dee' });
  const fay = await add({ userName: 'fay', manager: ada }, 'shop sign-in');
  const gus = await add({ userName: 'gus' }, 'hr sign-in');
  const hal = await add({ userName: 'hal' }, 'hr');
  const ivy = await add({ userName: strangerName, title: 'ours' });
  const staff = await addGroup('staff', [ada, bob, dee, fay, gus, ivy]);
  const board = await addGroup('board', [staff, cyd]);
  const gone = await addGroup('gone', [dee]);
  const eve = await add({ userName: 'eve' });
  const team = await addGroup('team', [eve]);
  const away = await addGroup('away', [team]);
  await rest();

  await change(bob, { userName: 'between', manager: ada });
  await change(cyd, { userName: 'bob', manager: bob });
  await change(bob, { userName: 'cyd', manager: ada, title: 'swapped', password: 'p2' });
  await decide(ivy);
  await change(fay, { userName: 'fay', manager: ada, title: 'again' }, 'shop sign-in');
  await change(gus, { userName: 'gus', title: 'again' }, 'hr sign-in');
  await change(hal, { userName: 'hal', title: 'by a sign-in' }, 'hr sign-in');
  await remove(dee);
  const fresh = await add({ userName: 'dee', manager: cyd });
  await changeGroup(staff, 'staff', [bob, fresh, gus, ivy]);
  await write((store) => store.write((tx) => deleteGroup(tx, gone, { origin })));
  await change(ada, { userName: 'ada', outside: true });
  await write((store) => store.write((tx) => deleteGroup(tx, away, { origin })));
  await rest();

  await decide(ivy);
  await write((store) => store.write((tx) => deleteUser(tx, hal, { origin: base.originOf('hr') })));
  await change(ada, { userName: 'ada.lovelace' });
  await changeGroup(board, 'Board', [staff, ada]);
  // Planned together: he leaves the group, and the group leaves the one above.
  await changeGroup(staff, 'staff', [fresh]);
  await changeGroup(board, 'Board', [ada]);
  await remove(cyd);
  await changeGroup(team, 'away', [eve]);
  await rest();
  // One fault may spoil a word, and no more than one.
  for (let n = 0; n < 2; n++) {
    await decide(ivy);
    await rest();
  }
  return { passwords, signedInInVain: [gus] };
}

/**
 * A write by somebody else, at an awkward moment. Doing it again changes something again; refusals are fine. Answers whom
 * it was about.
 */
export async function interfere(origin: Origin, store: Store, n: number): Promise<string | undefined> {
  const title = `meanwhile ${n}`;
  try {
    return await store.write(async (tx) => {
      const users = tx.q.selectFrom('subjects').select(['id', 'doc']).where('kind', '=', 'user');
      const ids = (await tx.all(users.where('life', '=', 'live').orderBy('id'))).map((row) => row.id);
      const id = ids[n % Math.max(1, ids.length)];
      // Whoever else writes at this moment waits, so that no name is given back that is somebody else's by now.
      const user = id && (await tx.first(users.where('id', '=', id).modifyEnd(tx.dialect.forUpdate)));
      if (!user) return undefined;
      const { userName } = JSON.parse(user.doc) as { userName: string };
      const changed = n % 3 === 0 ? { userName: `${userName}.${n}`, title } : { userName, title, outside: n % 3 === 1 };
      return (await replaceUser(tx, user.id, userOf(changed), { origin })).id;
    });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return undefined;
  }
}

function userOf({ userName, title, manager, outside = false }: Person) {
  return readResource(userType, {
    schemas: [userType.schema.id, enterpriseUserUrn],
    userName,
    ...(title === undefined ? {} : { title }),
    userType: outside ? 'outside' : 'inside',
    ...(manager === undefined ? {} : { [enterpriseUserUrn]: { manager: { value: manager } } }),
  });
}

function groupOf(displayName: string, members: readonly string[]) {
  return readResource(groupType, {
    schemas: [groupType.schema.id],
    displayName,
    members: members.map((value) => ({ value })),
  });
}
