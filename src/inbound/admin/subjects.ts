import type { FastifyInstance } from 'fastify';
import { fold } from '../../base/fold.ts';
import { Problem } from '../../base/problem.ts';
import type { Page, SubjectRef } from '../../contract/page.ts';
import type { SubjectAnswer, SubjectDetail, SubjectList } from '../../contract/subject.ts';
import { listByBeginning } from '../../directory/beginnings.ts';
import { findForwarded } from '../../directory/forwarded.ts';
import { listGroupsOf, listMembers } from '../../directory/memberships.ts';
import { listSubjects } from '../../directory/search.ts';
import { readLockedUntil } from '../../directory/sign-in-locks.ts';
import { nameAttribute, readSubjects, type Subject } from '../../directory/subjects.ts';
import { parseFilter } from '../../protocol/scim/filter.ts';
import type { JsonValue } from '../../protocol/scim/json.ts';
import { writeResource } from '../../protocol/scim/resource.ts';
import type { ResourceType } from '../../protocol/scim/schema.ts';
import { listAccounts } from '../../provisioning/inspect.ts';
import type { Reading } from '../../store/store.ts';
import { searchWithPatience } from '../patience.ts';
import { readNames } from './names.ts';
import { type AdminParts, param } from './parts.ts';
import { readCursor, readLimit, readNumber, readQuery, showTime, writeCursor } from './query.ts';

type Kind = Subject['kind'];

const places = { '/users': 'user', '/groups': 'group' } as const;

/** Who is in the directory. */
export function addSubjectRoutes(app: FastifyInstance, { store, clock, limits, types, tally }: AdminParts): void {
  for (const [place, kind] of Object.entries(places)) {
    /** `filter` is a SCIM filter (RFC 7644 section 3.4.2.2); `name` the beginning of a name, which orders by names. */
    app.get(place, async (request, reply): Promise<SubjectList> => {
      const query = readQuery(request.query, ['filter', 'name', 'startIndex', 'limit']);
      const count = readLimit(query.limit);
      const most = Number.MAX_SAFE_INTEGER;
      const startIndex = readNumber(query.startIndex, 'startIndex', { absent: 1, least: 1, most });
      const { name: text } = query;
      if (text !== undefined) {
        if (query.filter !== undefined)
          throw new Problem('invalidValue', 'name goes without filter', { field: 'name' });
        const all = text === '' ? { known: (await tally.read())[`${kind}s`] } : {};
        const { subjects, ...found } = await store.read((reading) =>
          listByBeginning(reading, kind, { text, startIndex, count, ...all }),
        );
        return { ...found, startIndex, items: subjects.map(showSubject) };
      }
      const filter = query.filter === undefined ? {} : { filter: parseFilter(query.filter) };
      const all = query.filter === undefined ? { known: (await tally.read())[`${kind}s`] } : {};
      const found = await searchWithPatience(reply, { clock, limits }, (signal) =>
        store.read((reading) => listSubjects(reading, kind, { ...filter, ...all, startIndex, count, types, signal })),
      );
      return { total: Number(found.total), more: false, startIndex, items: found.subjects.map(showSubject) };
    });

    /** By id or name; a deleted one by its id. */
    app.get(`${place}/:id`, async (request): Promise<SubjectDetail> => {
      const text = param(request, 'id');
      return store.read(async (reading) => {
        const id = await findSubjectId(reading, text, kind);
        const subject = id === undefined ? undefined : (await readSubjects(reading, [id])).get(id);
        if (subject?.kind !== kind) throw new Problem('notFound', `there is no ${kind} ${text.slice(0, 300)}`);
        return showWhole(reading, subject, types[kind]);
      });
    });
  }
}

/** All members of a group, in the order of their ids. */
export function addMemberRoutes(app: FastifyInstance, { store }: AdminParts): void {
  app.get('/groups/:id/members', async (request): Promise<Page<SubjectRef>> => {
    const query = readQuery(request.query, ['after', 'limit']);
    const limit = readLimit(query.limit);
    const after = readCursor(query.after)?.[0];
    const text = param(request, 'id');
    return store.read(async (reading) => {
      const id = await findSubjectId(reading, text, 'group');
      if (id === undefined) throw new Problem('notFound', `there is no group ${text.slice(0, 300)}`);
      const rows = await listMembers(reading, id, {
        limit: limit + 1,
        ...(typeof after === 'string' ? { after } : {}),
      });
      const shown = rows.slice(0, limit);
      const names = await readNames(
        reading,
        shown.map((row) => row.id),
      );
      return {
        items: shown.map((row) => names.subject(row.id)),
        next: rows.length > limit ? writeCursor([shown.at(-1)!.id]) : null,
      };
    });
  });
}

const idForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The id of the subject that a caller names by id or, among those of the directory and then those only forwarded, by name;
 * users before groups. Of several that were forwarded for different service providers none is meant.
 */
export async function findSubjectId(reading: Reading, text: string, kind?: Kind): Promise<string | undefined> {
  if (idForm.test(text) && (await readSubjects(reading, [text])).has(text)) return text;
  for (const each of kind ? [kind] : (['user', 'group'] as const)) {
    const filter = { op: 'eq', path: { attr: nameAttribute[each] }, value: text } as const;
    const { subjects } = await listSubjects(reading, each, { filter, startIndex: 1, count: 1 });
    if (subjects[0]) return subjects[0].id;
  }
  for (const each of kind ? [kind] : (['user', 'group'] as const)) {
    const [one, other] = await findForwarded(reading, each, fold(text));
    if (one !== undefined && other === undefined) return one;
  }
  return undefined;
}

export async function showWhole(reading: Reading, subject: Subject, type: ResourceType): Promise<SubjectDetail> {
  const memberOf = await listGroupsOf(reading, [subject.id]);
  const members = subject.kind === 'group' ? await listMembers(reading, subject.id, { limit: 100 }) : [];
  const names = await readNames(reading, [...memberOf.map((one) => one.groupId), ...members.map((one) => one.id)]);
  const lockedUntil = subject.kind === 'user' ? await readLockedUntil(reading, subject.id) : null;
  const accounts = await listAccounts(reading, { subjectId: subject.id }, { limit: 1_000 });
  return {
    ...showSubject(subject),
    attributes: showAttributes(type, subject),
    accounts: accounts.map((row) => ({
      target: names.target(row.target_id),
      state: row.state,
      due: row.wanted > row.done,
      remoteId: row.remote_id,
      reason: row.reason,
    })),
    groups: memberOf.map((one) => names.subject(one.groupId)),
    members: members.map((one) => names.subject(one.id)),
    lockedUntil: lockedUntil === null ? null : showTime(lockedUntil),
  };
}

/** All that may be given out, also what a SCIM client would have to ask for by name. */
function showAttributes(type: ResourceType, { attributes }: Subject): Record<string, JsonValue> {
  const names = [
    ...type.schema.attributes.map(({ name }) => name),
    ...type.extensions.map(({ id }) => id),
    'externalId',
  ];
  const { schemas: _, ...shown } = writeResource(type, { ...attributes, schemas: [] }, { attributes: names });
  return shown as Record<string, JsonValue>;
}

function showSubject(subject: Subject): SubjectAnswer {
  const { displayName, active } = subject.attributes;
  return {
    id: subject.id,
    kind: subject.kind,
    name: subject.fullName,
    domain: subject.domain,
    life: subject.life,
    displayName: typeof displayName === 'string' ? displayName : null,
    active: subject.kind === 'user' ? active !== false && subject.life !== 'gone' : null,
    createdAt: showTime(subject.createdAt),
    modifiedAt: showTime(subject.modifiedAt),
  };
}
