import type { Courier } from '../../outbound/courier.ts';
import { formatFilter } from '../../protocol/scim/filter.ts';
import { fold } from '../../protocol/scim/text.ts';
import type { Failure, FindRequest, Found, Remote, SubjectKind } from '../connector.ts';
import { type Dialect, scim2Dialect } from './dialect.ts';
import { isObject, readRemote } from './resource.ts';
import { withQuery } from './url.ts';
import type { Wire } from './wire.ts';

const pageSize = 100;

/** Past this many resources a target that ignores filters cannot be searched within an attempt. */
const mostLookedThrough = 5_000;

export type Finder = {
  wire: Wire;
  dialect?: Dialect;
  /** Parameters that leave the members out of what is listed. Default: those of RFC 7644 section 3.9. */
  withoutMembers?: Readonly<Record<string, string>>;
  /** False when this target is known not to search by externalId. */
  searchesExternalId: () => boolean;
  /** Called when the target says that it does not search by externalId. */
  noteNoExternalId: () => void;
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
  const nameAttribute = ask.kind === 'user' ? 'userName' : 'displayName';
  const names = new Set(ask.names.map(fold));
  const fits = (remote: Remote) =>
    (ask.externalId !== '' && remote.externalId === ask.externalId) || names.has(fold(remote.name));
  const questions: { attr: string; value: string }[] = [];
  if (ask.externalId !== '' && finder.searchesExternalId()) {
    questions.push({ attr: 'externalId', value: ask.externalId });
  }
  for (const name of new Map(ask.names.map((each) => [fold(each), each])).values()) {
    questions.push({ attr: nameAttribute, value: name });
  }
  if (questions.length === 0) {
    const reason = 'the target does not search by externalId, and there is no name to search by';
    return { outcome: 'unavailable', scope: 'lane', reason };
  }

  const found = new Map<string, Remote>();
  for (const question of questions) {
    const filter = formatFilter({ op: 'eq', path: { attr: question.attr }, value: question.value });
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

type Listed = { remotes: Remote[] };

async function listAll(
  { wire, dialect = scim2Dialect, withoutMembers = { excludedAttributes: 'members' } }: Finder,
  courier: Courier,
  endpoint: string,
  kind: SubjectKind,
  filter: string,
  fits: (remote: Remote) => boolean,
): Promise<Listed | Failure | { notFilterable: true; failure: Failure }> {
  const remotes: Remote[] = [];
  let seen = 0;
  for (;;) {
    const url = withQuery(endpoint, {
      filter,
      startIndex: String(seen + 1),
      count: String(pageSize),
      ...(kind === 'group' ? withoutMembers : {}),
    });
    const heard = await wire.ask(courier, 'search', { method: 'GET', url });
    if (heard.verdict) {
      const status = heard.answer?.status;
      if (seen === 0 && (status === 400 || status === 501)) return { notFilterable: true, failure: heard.verdict };
      return heard.verdict;
    }
    const page = heard.answer.status === 200 ? readPage(kind, heard.answer.body, dialect) : 'only 200 brings a list';
    if (typeof page === 'string') {
      return { outcome: 'unknown', reason: `the target answered ${heard.answer.status} to a search, but ${page}` };
    }
    for (const remote of page.remotes) {
      if (fits(remote)) remotes.push(remote);
    }
    seen += page.size;
    if (seen >= page.total) return { remotes };
    if (page.size === 0) {
      const reason = `the target says that there are ${page.total} results, but shows only ${seen}`;
      return { outcome: 'unknown', reason };
    }
    if (seen >= mostLookedThrough) {
      const reason = `the target does not heed the filter ${filter} and has more than ${seen} resources to look through`;
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

/** A ListResponse (RFC 7644 section 3.4.2), or what is wrong with it. */
function readPage(
  kind: SubjectKind,
  body: unknown,
  dialect: Dialect,
): { remotes: Remote[]; size: number; total: number } | string {
  if (!isObject(body)) return 'not with a list';
  const resources = body.Resources ?? body.resources ?? [];
  const total = readTotal(body);
  if (!Array.isArray(resources)) return 'its Resources are not a list';
  if (total === undefined) return 'without totalResults';
  const remotes: Remote[] = [];
  for (const resource of resources) {
    const remote = readRemote(kind, resource, dialect);
    if (!remote) return 'one of its Resources has no id';
    remotes.push(remote);
  }
  return { remotes, size: resources.length, total };
}
