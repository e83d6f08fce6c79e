import { fold } from '../../base/fold.ts';
import type { Courier } from '../../outbound/courier.ts';
import { formatFilter } from '../../protocol/scim/filter.ts';
import type { Failure, FindRequest, Found, Remote, SubjectKind } from '../connector.ts';
import { type Dialect, scim2Dialect } from './dialect.ts';
import { isObject, readRemote } from './resource.ts';
import { withQuery } from './url.ts';
import type { Wire } from './wire.ts';

export type Finder = {
  wire: Wire;
  dialect?: Dialect;
  /** Parameters that leave the members out of what is listed. Default: those of RFC 7644 section 3.9. */
  withoutMembers?: Readonly<Record<string, string>>;
  /** Default: by externalId and name, page by page. */
  habits?: FindHabits;
  /** How the target is asked for what equals a text. Default: as RFC 7644 section 3.4.2.2 says. */
  writeFilter?: (attribute: string, value: string) => string;
  /** False when this target is known not to search by externalId. */
  searchesExternalId: () => boolean;
  /** Called when the target says that it does not search by externalId. */
  noteNoExternalId: () => void;
};

/** How this target is searched: lines of its profile. */
export type FindHabits = {
  /** What it can be searched by, in the order of asking. */
  by: readonly string[];
  /** Where nothing of it can be asked the whole list is looked through. */
  listWithoutFilter: boolean;
  paging: 'index' | 'cursor';
  pageSize: number;
  /** Past this many resources a target that ignores filters cannot be searched within an attempt. */
  mostLookedThrough: number;
};

const plainHabits: FindHabits = {
  by: ['externalId', 'userName', 'displayName'],
  listWithoutFilter: false,
  paging: 'index',
  pageSize: 100,
  mostLookedThrough: 5_000,
};

/**
 * Asks by externalId, then by each name (RFC 7644 section 3.4.2.2), and keeps only resources that fit. A
 * target that does not heed the filter answers with a longer list, which is then looked through to its end.
 */
export async function findRemotes(
  finder: Finder,
  courier: Courier,
  endpoint: string,
  ask: FindRequest,
): Promise<Found | Failure> {
  const { writeFilter = writeEquals } = finder;
  const nameAttribute = ask.kind === 'user' ? 'userName' : 'displayName';
  const names = new Set(ask.names.map(fold));
  const fits = (remote: Remote) =>
    (ask.externalId !== '' && remote.externalId === ask.externalId) || names.has(fold(remote.name));
  const { habits = plainHabits } = finder;
  const questions: { attr: string; value: string }[] = [];
  for (const attr of habits.by) {
    if (attr === nameAttribute) {
      for (const name of new Map(ask.names.map((each) => [fold(each), each])).values()) {
        questions.push({ attr, value: name });
      }
    } else if (attr === 'externalId' && ask.externalId !== '' && finder.searchesExternalId()) {
      questions.push({ attr, value: ask.externalId });
    }
  }
  if (questions.length === 0) {
    if (habits.listWithoutFilter) {
      const heard = await listAll(finder, courier, endpoint, ask.kind, undefined, fits);
      if ('notFilterable' in heard) return heard.failure;
      return 'outcome' in heard ? heard : { outcome: 'done', found: heard.remotes };
    }
    const reason = 'the target does not search by externalId, and there is no name to search by';
    return { outcome: 'unavailable', scope: 'lane', reason };
  }

  const found = new Map<string, Remote>();
  for (const question of questions) {
    const filter = writeFilter(question.attr, question.value);
    const heard = await listAll(finder, courier, endpoint, ask.kind, filter, fits);
    if ('notFilterable' in heard) {
      if (question.attr !== 'externalId') return heard.failure;
      finder.noteNoExternalId();
      if (questions.length === 1) return heard.failure;
      continue;
    }
    if ('outcome' in heard) return heard;
    for (const remote of heard.remotes) found.set(remote.remoteId, remote);
  }
  return { outcome: 'done', found: [...found.values()] };
}

function writeEquals(attribute: string, value: string): string {
  return formatFilter({ op: 'eq', path: { attr: attribute }, value });
}

type Listed = { remotes: Remote[] };

async function listAll(
  { wire, dialect = scim2Dialect, habits = plainHabits, withoutMembers = { excludedAttributes: 'members' } }: Finder,
  courier: Courier,
  endpoint: string,
  kind: SubjectKind,
  filter: string | undefined,
  fits: (remote: Remote) => boolean,
): Promise<Listed | Failure | { notFilterable: true; failure: Failure }> {
  const remotes: Remote[] = [];
  const cursors = new Set<string>();
  let cursor = '';
  let seen = 0;
  for (let pages = 0; ; pages++) {
    const url = withQuery(endpoint, {
      ...(filter === undefined ? {} : { filter }),
      ...(habits.paging === 'cursor' ? { cursor } : { startIndex: String(seen + 1) }),
      count: String(habits.pageSize),
      ...(kind === 'group' ? withoutMembers : {}),
    });
    const heard = await wire.ask(courier, 'search', { method: 'GET', url });
    if (heard.verdict) {
      const status = heard.answer?.status;
      if (pages > 0 && status === 400 && habits.paging === 'cursor') {
        // A cursor may expire (RFC 9865 section 2.1); the next try begins with a new one.
        return { outcome: 'unavailable', scope: 'account', reason: heard.verdict.reason };
      }
      if (pages === 0 && (status === 400 || status === 501)) return { notFilterable: true, failure: heard.verdict };
      return heard.verdict;
    }
    const page =
      heard.answer.status === 200
        ? readPage(kind, heard.answer.body, dialect, habits.paging)
        : 'only 200 brings a list';
    if (typeof page === 'string') {
      return { outcome: 'unknown', reason: `the target answered ${heard.answer.status} to a search, but ${page}` };
    }
    for (const remote of page.remotes) {
      if (fits(remote)) remotes.push(remote);
    }
    seen += page.size;
    if (habits.paging === 'cursor') {
      if (page.next === undefined) return { remotes };
      if (cursors.has(page.next)) {
        return { outcome: 'unknown', reason: 'the target answers a list with a cursor that it gave before' };
      }
      cursors.add(page.next);
      cursor = page.next;
    } else if (seen >= page.total) return { remotes };
    else if (page.size === 0) {
      const reason = `the target says that there are ${page.total} results, but shows only ${seen}`;
      return { outcome: 'unknown', reason };
    }
    if (seen >= habits.mostLookedThrough || pages >= habits.mostLookedThrough) {
      const why = filter === undefined ? 'cannot be searched' : `does not heed the filter ${filter}`;
      const reason = `the target ${why} and has more than ${seen} resources to look through`;
      return { outcome: 'unavailable', scope: 'lane', reason };
    }
  }
}

/** `totalResults` of a ListResponse; undefined unless it is a count, since an empty answer must be said, not guessed. */
export function readTotal(body: unknown): number | undefined {
  if (!isObject(body)) return undefined;
  const { totalResults } = body;
  const total = typeof totalResults === 'string' && /^\d+$/.test(totalResults) ? Number(totalResults) : totalResults;
  return typeof total === 'number' && Number.isInteger(total) && total >= 0 ? total : undefined;
}

type Page = { remotes: Remote[]; size: number; total: number; next: string | undefined };

/**
 * A ListResponse (RFC 7644 section 3.4.2), or what is wrong with it. With cursors the total may be left out (RFC 9865
 * section 2), and then an empty answer has to say so by its Resources.
 */
function readPage(kind: SubjectKind, body: unknown, dialect: Dialect, paging: 'index' | 'cursor'): Page | string {
  if (!isObject(body)) return 'not with a list';
  const resources = body.Resources ?? body.resources ?? [];
  const listed = paging === 'cursor' && (body.Resources ?? body.resources) !== undefined;
  const total = readTotal(body) ?? (listed ? Number.POSITIVE_INFINITY : undefined);
  if (!Array.isArray(resources)) return 'its Resources are not a list';
  if (total === undefined) return 'without totalResults';
  const { nextCursor } = body;
  const next = typeof nextCursor === 'string' && nextCursor !== '' ? nextCursor : undefined;
  const remotes: Remote[] = [];
  for (const resource of resources) {
    const remote = readRemote(kind, resource, dialect);
    if (!remote) return 'one of its Resources has no id';
    remotes.push(remote);
  }
  return { remotes, size: resources.length, total, next };
}
