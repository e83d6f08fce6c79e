import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { Problem } from '../base/problem.ts';
import type { Origin, Speaker } from '../directory/changes.ts';
import type { Subject } from '../directory/subjects.ts';
import { coreTypes, type ResourceTypes } from '../protocol/scim/schema.ts';
import type { Delivery, Waits } from '../provisioning/wait.ts';
import type { Reading, Store, Tx } from '../store/store.ts';
import type { Caller, Credentials } from './credentials.ts';
import { readPreferredWait } from './delivery.ts';

/** What every door is given, and what all doors do alike. How a refusal is worded is each door's own. */
export type Door = {
  readonly store: Store;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly limits: DoorLimits;
  /** What users and groups are on this server: for whatever reads, writes or searches them. */
  readonly types: ResourceTypes;
  /** Reads bodies of these media types as JSON, up to the limit; every other type is refused. For one Fastify scope. */
  acceptJson(app: FastifyInstance, mediaTypes: readonly string[]): void;
  read<T>(work: (reading: Reading) => Promise<T>): Promise<T>;
  /** One transaction, then word to the planner. When it resolves, change and subject are on disk. */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * After a `write`: waits for the blocking targets of whom it was made for, and answers what they made of it; nothing
   * for most, who have none. `subject`: as the write left it, a tombstone for a deletion. Ends early when the client
   * goes away, and when the client wished to wait less (`Prefer: wait`). `by`: default a call.
   */
  settle(
    change: { caller: Caller; subject: Subject; by?: Speaker['by'] },
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Delivery[]>;
  /** The same for many subjects, waited for together: what became of each, in their order. */
  settleAll(
    change: { caller: Caller; subjects: readonly Subject[]; by?: Speaker['by'] },
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<Delivery[][]>;
  /** What a thrown value means to the caller; our own faults are logged here, once, under the id that is answered. */
  judge(error: unknown, request: { method: string; route: string | undefined }): Refusal;
};

export type DoorLimits = {
  /** Largest body in bytes. */
  bodyBytes: number;
  /** How long a search may look at everybody, in milliseconds. */
  searchMs: number;
};

export const defaultLimits: DoorLimits = { bodyBytes: 1_048_576, searchMs: 10_000 };

export type Refusal = { problem: Problem } | { faultId: string };

export function openDoor(parts: {
  store: Store;
  credentials: Credentials;
  clock: Clock;
  log: Logger;
  /** Default: nobody waits for deliveries. */
  waits?: Waits;
  limits?: Partial<DoorLimits>;
  /** Default: without extensions. */
  types?: ResourceTypes;
}): Door {
  const { store, credentials, clock, log, waits, types = coreTypes } = parts;
  const limits = { ...defaultLimits, ...parts.limits };

  const settleAll: Door['settleAll'] = async ({ caller: { spId }, subjects, by = 'call' }, request, reply) => {
    if (!waits) return subjects.map(() => []);
    const gone = new AbortController();
    setMaxListeners(0, gone.signal);
    const abort = () => gone.abort();
    reply.raw.once('close', abort);
    if (reply.raw.destroyed) abort();
    try {
      const options = { withinMs: readPreferredWait(request.headers.prefer), signal: gone.signal };
      return await Promise.all(subjects.map((subject) => waits.settle({ spId, subject, by }, options)));
    } finally {
      reply.raw.off('close', abort);
    }
  };

  return {
    store,
    credentials,
    clock,
    limits,
    types,
    acceptJson(app, mediaTypes) {
      app.removeAllContentTypeParsers();
      const options = { parseAs: 'buffer', bodyLimit: limits.bodyBytes } as const;
      app.addContentTypeParser<Buffer>([...mediaTypes], options, (request, body, done) => {
        try {
          refuseEncoded(request.headers['content-encoding']);
          done(null, readJson(body));
        } catch (error) {
          done(error as Error);
        }
      });
    },
    read: (work) => store.read(work),
    async write(work) {
      const value = await store.write(work);
      store.signal('changes');
      return value;
    },
    async settle({ subject, ...change }, request, reply) {
      return (await settleAll({ ...change, subjects: [subject] }, request, reply))[0]!;
    },
    settleAll,
    judge(error, { method, route }) {
      const problem = error instanceof Problem ? error : problemOfServer(error as FastifyError, limits, method);
      if (problem) return { problem };
      const faultId = randomUUID();
      const stack = error instanceof Error ? error.stack : String(error);
      log.error({ id: faultId, method, route, error: stack }, 'a request failed');
      return { faultId };
    },
  };
}

/** On whose behalf a caller's changes are made. */
export function originOf(caller: Caller, door: Origin['door']): Origin {
  const { spId, actor, forwarding } = caller;
  return { spId, door, actor, ...(forwarding ? { forwarding } : {}) };
}

/** Whether every database keeps the text as it is: PostgreSQL takes no U+0000, and half a surrogate pair is no UTF-8. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function refuseEncoded(encoding: string | undefined): void {
  if (encoding === undefined || encoding.trim().toLowerCase() === 'identity') return;
  const why = `A body with Content-Encoding ${encoding.slice(0, 40)} is not read here: send it as it is.`;
  throw new Problem('unsupportedMediaType', why);
}

/** An empty body is `undefined`; a byte order mark is passed over (RFC 8259 section 8.1). Throws `Problem('invalidSyntax')`. */
function readJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  if (!isUtf8(body)) throw new Problem('invalidSyntax', 'The body is not UTF-8.');
  try {
    return JSON.parse(body.toString('utf8').replace(/^\ufeff/, ''));
  } catch (error) {
    // The message of the parser quotes the body, which may hold a password.
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    const where = at === undefined ? '' : ` It breaks off at character ${Number(at) + 1}.`;
    throw new Problem('invalidSyntax', `The body is not JSON.${where}`);
  }
}

/** What the HTTP server itself refuses. */
function problemOfServer(error: FastifyError, limits: DoorLimits, method: string): Problem | undefined {
  switch (error?.statusCode) {
    case 413:
      return new Problem('tooLarge', `The body is larger than the ${limits.bodyBytes} bytes this server takes.`);
    case 415:
      return new Problem(
        'unsupportedMediaType',
        `The body of a ${method} here must be JSON, and say so in Content-Type.`,
      );
    case 400:
      return new Problem('invalidSyntax', 'The request cannot be read: its length, path or headers are broken.');
    default:
      return undefined;
  }
}
