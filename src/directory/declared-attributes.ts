import { sql } from 'kysely';
import type { Attribute } from '../protocol/scim/attribute.ts';
import { coreTypes, type ResourceTypes, type UniquePath } from '../protocol/scim/schema.ts';
import type { DeclaredAttributeRow, SubjectRow } from '../store/schema.ts';
import { prepare, type Store, type Tx } from '../store/store.ts';
import { type Subject, toSubject } from './subjects.ts';
import { listUniqueValues } from './unique-values.ts';

/**
 * What the administrator's extensions were declared as, so that a start sees what changed since. Values of an extension
 * that is no longer declared stay where they are, and so does what it was declared as: it may come back.
 */
type Declared = DeclaredAttributeRow & { unique?: UniquePath };

/** So many subjects are looked at in one statement. */
const chunk = 1_000;
/** So many examples of a fault are named. */
const mostExamples = 3;

/**
 * Brings the database in step with the declared extensions: what became unique is looked through, what no longer is
 * forgotten. Answers every fault, and then nothing was done: an attribute that holds values of another type, or that
 * should be unique and is not. Safe to run from many nodes at once; costs one read when nothing changed.
 */
export async function settleDeclaredAttributes(store: Store, types: ResourceTypes): Promise<string[]> {
  const wanted = listDeclared(types);
  const known = await store.read((reading) => reading.all(reading.q.selectFrom('declared_attributes').selectAll()));
  if (differing(wanted, known).length + abandoned(wanted, known).length === 0) return [];
  try {
    await store.write((tx) => settle(tx, wanted));
    return [];
  } catch (error) {
    if (error instanceof Faults) return error.faults;
    throw error;
  }
}

class Faults extends Error {
  readonly faults: string[];
  constructor(faults: string[]) {
    super(faults.join('; '));
    this.faults = faults;
  }
}

const keyOf = ({ kind, path }: DeclaredAttributeRow) => `${kind} ${path}`;

function differing(wanted: readonly Declared[], known: readonly DeclaredAttributeRow[]): Declared[] {
  const before = new Map(known.map((row) => [keyOf(row), row]));
  return wanted.filter((one) => {
    const row = before.get(keyOf(one));
    return row?.spelling !== one.spelling || row.shape !== one.shape || row.uniqueness !== one.uniqueness;
  });
}

/** Unique ones that are declared no more: nobody keeps their values in step now. */
function abandoned(wanted: readonly Declared[], known: readonly DeclaredAttributeRow[]): DeclaredAttributeRow[] {
  const keys = new Set(wanted.map(keyOf));
  return known.filter((row) => row.uniqueness !== null && !keys.has(keyOf(row)));
}

async function settle(tx: Tx, wanted: readonly Declared[]): Promise<void> {
  // Holds the row until commit: nodes that start together stand in line.
  await tx.all({
    compile: () =>
      sql`insert into stamps (name, value) values ('schemas', 1)
      on conflict (name) do update set value = stamps.value + 1`.compile(tx.q),
  });
  const known = await tx.all(tx.q.selectFrom('declared_attributes').selectAll());
  const before = new Map(known.map((row) => [keyOf(row), row]));
  const faults: string[] = [];
  for (const row of abandoned(wanted, known)) {
    await forgetUnique(tx, row);
    await save(tx, { ...row, uniqueness: null });
  }
  for (const { unique, ...row } of differing(wanted, known)) {
    const old = before.get(keyOf(row));
    if (old && (old.shape !== row.shape || old.spelling !== row.spelling) && (await isUsed(tx, old))) {
      const was = old.shape === row.shape ? 'is written otherwise now' : `is declared as ${row.shape} now`;
      faults.push(
        `${old.spelling} was declared as ${old.shape}, there are ${row.kind}s with values of it, and it ${was}: declare it as before, or give the new attribute another name`,
      );
      continue;
    }
    await forgetUnique(tx, row);
    if (unique) faults.push(...(await gatherUnique(tx, row.kind, unique)));
    await save(tx, row);
  }
  if (faults.length > 0) throw new Faults(faults);
}

/** The attributes of the extensions that are not ours, and their sub-attributes. */
function listDeclared(types: ResourceTypes): Declared[] {
  return (['user', 'group'] as const).flatMap((kind) => {
    const type = types[kind];
    const own = type.extensions.filter(({ id }) => !coreTypes[kind].extensions.some((core) => core.id === id));
    return own.flatMap(({ id, attributes }) =>
      attributes.flatMap((attribute) => {
        const whole = `${id}:${attribute.name}`;
        const leaves = [
          { spelling: whole, leaf: attribute },
          ...(attribute.subAttributes ?? []).map((leaf) => ({ spelling: `${whole}.${leaf.name}`, leaf })),
        ];
        return leaves.map(({ spelling, leaf }) => {
          const unique = type.unique.find(({ path }) => path === spelling);
          const uniqueness = unique ? (leaf.caseExact ? 'exact' : 'folded') : null;
          const row = { kind, path: spelling.toLowerCase(), spelling, shape: shapeOf(leaf), uniqueness };
          return unique ? { ...row, unique } : row;
        });
      }),
    );
  });
}

/** What decides how values are kept. */
function shapeOf({ type, multiValued }: Attribute): string {
  return multiValued ? `${type}, multi-valued` : type;
}

async function save(tx: Tx, row: DeclaredAttributeRow): Promise<void> {
  const { spelling, shape, uniqueness } = row;
  await tx.all(
    tx.q
      .insertInto('declared_attributes')
      .values(row)
      .onConflict((conflict) => conflict.columns(['kind', 'path']).doUpdateSet({ spelling, shape, uniqueness })),
  );
}

async function forgetUnique(tx: Tx, { kind, path }: DeclaredAttributeRow): Promise<void> {
  await tx.all(tx.q.deleteFrom('unique_values').where('kind', '=', kind).where('attr', '=', path));
}

type Page = { kind: Subject['kind']; after: string; limit: number };

function pageOf(tx: Tx, path: readonly string[], { kind, after, limit }: Page) {
  const value = tx.dialect.jsonText(sql.ref('s.doc'), path);
  const query = sql<SubjectRow>`
    select s.* from subjects s where s.kind = ${kind} and s.life = 'live' and ${value} is not null and s.id > ${after}
    order by s.id limit ${limit}`;
  return tx.all<SubjectRow>({ compile: () => query.compile(tx.q) });
}

/** Whether a live subject has a value there; for a sub-attribute, whether any has the attribute at all. */
async function isUsed(tx: Tx, { kind, spelling }: DeclaredAttributeRow): Promise<boolean> {
  const colon = spelling.lastIndexOf(':');
  const name = spelling.slice(colon + 1).split('.')[0]!;
  const path = [spelling.slice(0, colon), name];
  return (await pageOf(tx, path, { kind, after: '', limit: 1 })).length > 0;
}

const insertValues = prepare<{ kind: string; attr: string; rows: string }, { subject_id: string; value_key: string }>(
  (_, p, d) => {
    const rows = d.rowsOf<{ id: string; key: string }, 'r'>(p.rows, 'r', { id: 'text', key: 'text' });
    return sql<{ subject_id: string; value_key: string }>`
      insert into unique_values (kind, attr, value_key, subject_id)
      select cast(${p.kind} as text), cast(${p.attr} as text), r.key, r.id from ${rows} where true
      on conflict do nothing returning subject_id, value_key`;
  },
);

/** Notes every value of a path that became unique. Answers a fault when two subjects share one. */
async function gatherUnique(tx: Tx, kind: Subject['kind'], unique: UniquePath): Promise<string[]> {
  const attr = unique.path.toLowerCase();
  const shared: string[] = [];
  let others = 0;
  for (let after = ''; ; ) {
    const path = [unique.extension, unique.attribute.name];
    const found = (await pageOf(tx, path, { kind, after, limit: chunk })).map(toSubject);
    const rows = found.flatMap(({ id, attributes }) =>
      listUniqueValues([unique], attributes).map(({ key }) => ({ id, key })),
    );
    const inserted = await tx.run(insertValues, { kind, attr, rows: JSON.stringify(rows) });
    const done = new Set(inserted.map(({ subject_id, value_key }) => `${subject_id} ${value_key}`));
    for (const { id } of rows.filter((row) => !done.has(`${row.id} ${row.key}`))) {
      if (shared.length < mostExamples) shared.push(found.find((one) => one.id === id)!.fullName);
      else others++;
    }
    if (found.length < chunk) break;
    after = found.at(-1)!.id;
  }
  if (shared.length === 0) return [];
  const who = `${shared.join(', ')}${others > 0 ? ` and ${others} more` : ''}`;
  return [
    `${unique.path} is declared unique, and these ${kind}s have a value that another has too: ${who}. Start without the uniqueness and change them first`,
  ];
}
