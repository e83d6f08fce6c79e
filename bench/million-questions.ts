import { Pool } from 'undici';
import { percentile } from './population.ts';
import { readUsage } from './processes.ts';

/** What somebody asks at once: one request, or what a page asks together. */
export type Question = {
  name: string;
  /** Nothing an index could know: measured and printed, without a mark. */
  isWide?: true;
  ask(n: number): Request[];
};

type Request = { method?: 'GET' | 'PATCH'; path: string; body?: string };

/** Milliseconds. `processor`: of the server's main thread, for each time. `others`: the longest that somebody else waited. */
export type Answered = {
  name: string;
  isWide: boolean;
  p50: number;
  slowest: number;
  processor: number;
  others: number;
};

/** Somebody of the directory, and where: what the questions are about. */
export type Known = {
  people: { id: string; userName: string }[];
  users: number;
  groups: number;
  largest: string;
  causes: string[];
  /** Ids at the target. */
  remoteIds: string[];
  lastSeq: number;
};

const quoted = (text: string) => JSON.stringify(text);
const api = (path: string, query: Record<string, string | number> = {}): Request => {
  const text = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)])).toString();
  return { path: `/api${path}${text === '' ? '' : `?${text}`}` };
};
const scim = (path: string, query: Record<string, string | number> = {}): Request => {
  return { path: api(path, query).path.replace('/api', '/scim2') };
};

/** What the console, the commands and SCIM clients ask. Names of users are `user.BLOCK.N`. */
export function listQuestions(known: Known): Question[] {
  const one = (n: number) => known.people[n % known.people.length]!;
  const page = (kind: 'users' | 'groups', query: Record<string, string | number> = {}) =>
    api(`/${kind}`, { startIndex: 1, limit: 50, ...query });
  const found = (kind: 'users' | 'groups', text: string) => page(kind, { name: text });
  const accounts = (query: Record<string, string | number>) =>
    api('/accounts', { target: 'one:SCIM2', limit: 50, ...query });
  const attempts = (query: Record<string, string | number> = {}) => api('/attempts', { limit: 50, ...query });
  const find = (text: string) => [
    page('users', { name: text, limit: 5 }),
    page('groups', { name: text, limit: 5 }),
    api('/targets'),
    api('/accounts', { remoteId: text, limit: 5 }),
  ];
  const deep = Math.floor(known.users * 0.9);
  const ask = (name: string, requests: (n: number) => Request | Request[]): Question => {
    return { name, ask: (n) => [requests(n)].flat() };
  };
  const wide = (name: string, request: () => Request): Question => ({ name, isWide: true, ask: () => [request()] });
  return [
    ask('home', () => [
      api('/status'),
      api('/causes'),
      api('/changes', { limit: 8 }),
      api('/throughput', { span: 'hour' }),
    ]),
    ask('status', () => api('/status')),
    ask('throughput of a day', () => api('/throughput', { span: 'day' })),
    ask('causes', () => api('/causes')),
    ask('targets', () => api('/targets')),
    ask('users, first page', () => found('users', '')),
    ask('users, deep page', (n) => page('users', { startIndex: deep + n * 50 })),
    ask('users, all of one beginning', () => found('users', 'user')),
    ask('users, its deep page', () => page('users', { name: 'user', startIndex: 90_001 })),
    ask('users, a tenth by beginning', (n) => found('users', `Given${(n % 9) + 1}`)),
    ask('users, beginning of a block', (n) => found('users', one(n).userName.slice(0, -2))),
    ask('users, one whole name', (n) => found('users', one(n).userName)),
    ask('users, e-mail', (n) =>
      page('users', { filter: `emails.value eq ${quoted(`${one(n).userName}@acme.example`)}` }),
    ),
    ask('users, name and filter', (n) =>
      page('users', {
        filter: `(userName sw "user" or displayName sw "user") and (userName sw ${quoted(one(n).userName.slice(0, 9))})`,
      }),
    ),
    ask('users, nobody', (n) => found('users', `nobody ${n}`)),
    ask('groups, first page', () => found('groups', '')),
    ask('groups, beginning', () => found('groups', 'team.00')),
    ask('groups, deep page', () => page('groups', { startIndex: Math.floor(known.groups * 0.9) })),
    ask('groups, nothing', () => found('groups', 'nothing')),
    ask('largest group', () => api(`/groups/${known.largest}`)),
    ask('its members', () => api(`/groups/${known.largest}/members`, { limit: 50 })),
    ask('a user', (n) => api(`/users/${one(n).id}`)),
    ask('its account and walk', (n) => [
      api(`/accounts/one%3ASCIM2/${one(n).id}`),
      api(`/accounts/one%3ASCIM2/${one(n).id}/preview`),
    ]),
    ask('deliveries', () => attempts()),
    ask('deliveries of a target', () => attempts({ target: 'two:SCIM2' })),
    ask('deliveries, done', () => attempts({ outcome: 'done' })),
    ask('deliveries, refused', () => attempts({ outcome: 'refused' })),
    ask('deliveries, text', () => attempts({ text: 'licence' })),
    ask('deliveries, status 400', () => attempts({ status: 400 })),
    ask('deliveries, status 500', () => attempts({ status: 500 })),
    ask('deliveries of a user', (n) => attempts({ subject: one(n).id })),
    ask('changes, last', () => api('/changes', { limit: 50 })),
    ask('changes, early', (n) => api('/changes', { limit: 50, after: Math.floor(known.lastSeq / 3) + n * 50 })),
    ask('changes of a user', (n) => api('/changes', { limit: 50, subject: one(n).id })),
    ask('finder, a name', (n) => find(one(n).userName)),
    ask('finder, two letters', () => find('us')),
    ask('finder, an id at a target', (n) => find(known.remoteIds[n % known.remoteIds.length]!)),
    ...['done', 'parked', 'waiting', 'withheld', 'disabled', 'kept', 'unbound'].map((state) =>
      ask(`accounts, ${state}`, () => accounts({ state })),
    ),
    ask('accounts, due', () => accounts({ due: 'true', target: 'two:SCIM2' })),
    ask('accounts, left parked', () => accounts({ state: 'parked', left: 'true' })),
    ask('accounts, to look at', () => accounts({ state: 'parked', left: 'false' })),
    ask('accounts, groups', () => accounts({ kind: 'group' })),
    ask('accounts of a cause', (n) => accounts({ cause: known.causes[n % known.causes.length]! })),
    ask('what a save would do', (n) => ({
      method: 'PATCH',
      path: '/api/targets/one%3ASCIM2?dryRun=true',
      body: JSON.stringify({ policy: { timeoutMs: 20_000 + n } }),
    })),
    ask('SCIM by id', (n) => scim(`/Users/${one(n).id}`)),
    ask('SCIM userName eq', (n) => scim('/Users', { filter: `userName eq ${quoted(one(n).userName)}` })),
    ask('SCIM userName sw, many', () => scim('/Users', { filter: 'userName sw "user"', count: 100 })),
    ask('SCIM displayName sw, a few', (n) =>
      scim('/Users', { filter: `displayName sw "Given${n % 90} Family.00"`, count: 100 }),
    ),
    ask('SCIM first 100', () => scim('/Users', { startIndex: 1, count: 100 })),
    ask('SCIM deep 100', (n) => scim('/Users', { startIndex: deep + n * 100, count: 100 })),
    ask('SCIM sorted by userName', () => scim('/Users', { count: 100, sortBy: 'userName' })),
    ask('SCIM sorted, deep', () => scim('/Users', { count: 100, sortBy: 'userName', startIndex: deep })),
    ask('SCIM with a cursor', () => scim('/Users', { count: 100, cursor: '' })),
    wide('SCIM looks at everybody', () => scim('/Users', { count: 100, filter: 'title co "Principal"' })),
  ];
}

/** Another who asks for next to nothing again and again, and how long he waits. */
const others = { path: '/scim2/ServiceProviderConfig', everyMs: 5 };

/**
 * Asks each question so many times, one after the other, while another asks for next to nothing all the time: how long
 * it takes, and the longest that the other waited.
 */
export async function askAll(
  { url, token, pid }: { url: string; token: string; pid: number },
  questions: readonly Question[],
  { times, maxMs, onAnswered }: { times: number; maxMs: number; onAnswered(one: Answered): void },
): Promise<Answered[]> {
  const pool = new Pool(url, { connections: 8, pipelining: 1 });
  const other = new Pool(url, { connections: 1, pipelining: 1 });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const send = async ({ method = 'GET', path, body }: Request, mayBeRefused: boolean): Promise<void> => {
    const answer = await pool.request({ method, path, headers, ...(body === undefined ? {} : { body }) });
    const text = await answer.body.text();
    // A search that looks at everybody may take longer than a search may.
    const isRefused = mayBeRefused && text.includes('tooMany');
    if (answer.statusCode !== 200 && !isRefused)
      throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
  };
  const answered: Answered[] = [];
  try {
    for (const { name, isWide = false, ask } of questions) {
      // What is compiled at its first use belongs to no question.
      await Promise.all(ask(0).map((one) => send(one, isWide)));
      let isOver = false;
      let longest = 0;
      const waiting = (async () => {
        while (!isOver) {
          const began = performance.now();
          const answer = await other.request({ method: 'GET', path: others.path });
          await answer.body.dump();
          longest = Math.max(longest, performance.now() - began);
          await new Promise((resolve) => setTimeout(resolve, others.everyMs));
        }
      })();
      const took: number[] = [];
      const before = readUsage(pid).cpuSeconds;
      const until = performance.now() + maxMs;
      for (let n = 1; n <= (isWide ? 2 : times) && (took.length < 3 || performance.now() < until); n++) {
        const began = performance.now();
        await Promise.all(ask(n).map((one) => send(one, isWide)));
        took.push(performance.now() - began);
      }
      const processor = ((readUsage(pid).cpuSeconds - before) * 1_000) / took.length;
      isOver = true;
      await waiting;
      const one = { name, isWide, p50: percentile(took, 0.5), slowest: Math.max(...took), processor, others: longest };
      answered.push(one);
      onAnswered(one);
    }
  } finally {
    await Promise.all([pool.destroy(), other.destroy()]);
  }
  return answered;
}
