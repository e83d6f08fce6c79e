import { Problem } from '../../../src/base/problem.ts';
import { type SealingKey, Secret } from '../../../src/base/secret.ts';
import type { Origin } from '../../../src/directory/changes.ts';
import { createGroup, deleteGroup, replaceGroup } from '../../../src/directory/groups.ts';
import { createUser, deleteUser, replaceUser } from '../../../src/directory/users.ts';
import { readResource } from '../../../src/protocol/scim/resource.ts';
import { enterpriseUserUrn, groupType, userType } from '../../../src/protocol/scim/schema.ts';
import type { Store } from '../../../src/store/store.ts';
import type { LastPassword } from '../explorer/people.ts';

/** Writes that survive a fault: whoever calls a door and gets no answer, calls again. */
export type Write = <T>(work: (store: Store) => Promise<T>) => Promise<T>;

type Person = { userName: string; title?: string; manager?: string; outside?: boolean; password?: string };

/**
 * What happens to the directory in every run of the sweep: people come, are renamed, swap names, go, come back under
 * the name of a leaver, move out of scope and in again; groups are nested, with everybody in a group in those above it,
 * change members, go. Who is in a group `away`,
 * or in a group in it, is out of scope. `rest` lets the engine bring all of it to the target. Answers with the
 * last password of everybody who got one.
 */
export async function playScenario(
  origin: Origin,
  key: SealingKey,
  write: Write,
  rest: () => Promise<void>,
): Promise<Map<string, LastPassword>> {
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
  const add = (person: Person) =>
    write((store) => store.write((tx) => createUser(tx, userOf(person), optionsOf(person)))).then((made) =>
      noteOf(made.id, person),
    );
  const change = (id: string, person: Person) =>
    write((store) => store.write((tx) => replaceUser(tx, id, userOf(person), optionsOf(person)))).then(() =>
      noteOf(id, person),
    );
  const remove = (id: string) => write((store) => store.write((tx) => deleteUser(tx, id, { origin })));
  const addGroup = (name: string, members: string[]) =>
    write((store) => store.write((tx) => createGroup(tx, groupOf(name, members), { origin }))).then((made) => made.id);
  const changeGroup = (id: string, name: string, members: string[]) =>
    write((store) => store.write((tx) => replaceGroup(tx, id, groupOf(name, members), { origin })));

  const ada = await add({ userName: 'ada' });
  const bob = await add({ userName: 'bob', manager: ada, password: 'p1' });
  const cyd = await add({ userName: 'cyd', manager: bob });
  const dee = await add({ userName: 'dee' });
  const staff = await addGroup('staff', [ada, bob, dee]);
  const board = await addGroup('board', [staff, cyd]);
  const gone = await addGroup('gone', [dee]);
  const eve = await add({ userName: 'eve' });
  const team = await addGroup('team', [eve]);
  const away = await addGroup('away', [team]);
  await rest();

  await change(bob, { userName: 'between', manager: ada });
  await change(cyd, { userName: 'bob', manager: bob });
  await change(bob, { userName: 'cyd', manager: ada, title: 'swapped', password: 'p2' });
  await remove(dee);
  const fresh = await add({ userName: 'dee', manager: cyd });
  await changeGroup(staff, 'staff', [bob, fresh]);
  await write((store) => store.write((tx) => deleteGroup(tx, gone, { origin })));
  await change(ada, { userName: 'ada', outside: true });
  await write((store) => store.write((tx) => deleteGroup(tx, away, { origin })));
  await rest();

  await change(ada, { userName: 'ada.lovelace' });
  await changeGroup(board, 'Board', [staff, ada]);
  // Planned together: he leaves the group, and the group leaves the one above.
  await changeGroup(staff, 'staff', [fresh]);
  await changeGroup(board, 'Board', [ada]);
  await remove(cyd);
  await changeGroup(team, 'away', [eve]);
  await rest();
  return passwords;
}

/** A write by somebody else, at an awkward moment. Doing it again changes something again; refusals are fine. */
export async function interfere(origin: Origin, store: Store, n: number): Promise<void> {
  const title = `meanwhile ${n}`;
  try {
    await store.write(async (tx) => {
      const users = tx.q.selectFrom('subjects').select(['id', 'doc']).where('kind', '=', 'user');
      const ids = (await tx.all(users.where('life', '=', 'live').orderBy('id'))).map((row) => row.id);
      const id = ids[n % Math.max(1, ids.length)];
      // Whoever else writes at this moment waits, so that no name is given back that is somebody else's by now.
      const user = id && (await tx.first(users.where('id', '=', id).modifyEnd(tx.dialect.forUpdate)));
      if (!user) return;
      const { userName } = JSON.parse(user.doc) as { userName: string };
      const changed = n % 3 === 0 ? { userName: `${userName}.${n}`, title } : { userName, title, outside: n % 3 === 1 };
      await replaceUser(tx, user.id, userOf(changed), { origin });
    });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
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
