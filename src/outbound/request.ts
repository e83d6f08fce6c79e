import { getCACertificates } from 'node:tls';
import { type Dispatcher, Pool } from 'undici';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { Secret } from '../base/secret.ts';
import { type AddressPolicy, makeAddressPolicy, type PlainHttp } from './address.ts';
import type { Answer, Courier, Exchange, OutboundRequest } from './courier.ts';
import { afterLeaving, beforeLeaving, decompress, largestAnswer, readAnswer } from './ending.ts';
import type { Outbound } from './outbound.ts';
import {
  carriesCredential,
  formsOf,
  formsOfCredential,
  hideForms,
  redactForm,
  redactText,
  redactUrl,
} from './redact.ts';

export type OutboundOptions = {
  clock: Clock;
  log: Logger;
  /** Default `loopback`. */
  allowPlainHttp?: PlainHttp;
  /** PEM certificates trusted beside those of the system. */
  ca?: string | readonly string[];
  /** Default 64. Requests beyond it wait for a connection, within their own timeout. */
  maxConnectionsPerOrigin?: number;
};

const ours = { 'user-agent': 'purvey/0.1', accept: 'application/json', 'accept-encoding': 'identity' };

/**
 * The process's one HTTP client: HTTP/1.1 over kept connections, one pool per origin, no pipelining, no redirects, no
 * retries. Nothing is resolved or connected until the first request.
 *
 * The line between *not sent* and *unknown* is drawn where undici says that it is about to write the request to a
 * connected (and, with https, verified) socket: before that nothing has left, after it everything may have.
 */
export function openOutbound(options: OutboundOptions): Outbound {
  const { clock, log } = options;
  const policy = makeAddressPolicy(options.allowPlainHttp ?? 'loopback');
  /** By origin. Nothing is kept of what is refused: such URLs may be endless. */
  const pools = new Map<string, Pool>();
  const formsOfSecrets = new WeakMap<Secret, string[]>();
  const formsOfHeaders = new Map<string, string[]>();
  let closed = false;

  /** The connections to ask through, or why this URL may not be asked. */
  function wayTo(url: URL): Pool | string {
    const known = pools.get(url.origin);
    if (known) return known;
    const refusal = policy.refusalOf(url);
    if (refusal !== undefined) return refusal;
    const pool = openPool(url, policy, options);
    pools.set(url.origin, pool);
    return pool;
  }

  function hiddenFormsOf(request: OutboundRequest): string[] {
    const hidden: string[] = [];
    const hide = (forms: readonly string[]) => {
      for (const form of forms) if (!hidden.includes(form)) hidden.push(form);
    };
    for (const name in request.headers) {
      if (!carriesCredential(name)) continue;
      const value = request.headers[name]!;
      let forms = formsOfHeaders.get(value);
      if (!forms) {
        forms = formsOfCredential(value);
        // Credentials are few; tokens that came and went must not pile up.
        if (formsOfHeaders.size >= 1_000) formsOfHeaders.clear();
        formsOfHeaders.set(value, forms);
      }
      hide(forms);
    }
    for (const secret of request.secrets ?? []) {
      let forms = formsOfSecrets.get(secret);
      if (!forms) {
        forms = formsOf(secret);
        formsOfSecrets.set(secret, forms);
      }
      hide(forms);
    }
    return hidden;
  }

  return {
    clock,
    courier({ deadline, timeoutMs }) {
      const exchanges: Exchange[] = [];
      let asked = false;
      let mutated = false;

      async function say(request: OutboundRequest, mutation: boolean): Promise<Answer> {
        const at = clock.now();
        const start = clock.monotonic();
        const hidden = hiddenFormsOf(request);
        const body = request.form
          ? new URLSearchParams(request.form).toString()
          : request.body === undefined
            ? null
            : JSON.stringify(request.body);
        const exchange: Exchange = {
          method: request.method,
          url: redactUrl(request.url, hidden),
          requestBody: request.form
            ? redactForm(request.form, hidden)
            : body === null
              ? null
              : redactText(body, hidden),
          status: null,
          responseBody: null,
          error: null,
          at,
          tookMs: 0,
        };
        exchanges.push(exchange);
        const url = URL.parse(request.url);
        const way = url ? wayTo(url) : 'this is not an absolute URL';
        let answer: Answer;
        if (closed) {
          answer = { ended: 'not-sent', cause: 'connect', reason: 'the server is stopping' };
        } else if (!url || typeof way === 'string') {
          answer = { ended: 'not-sent', cause: 'address', reason: String(way) };
        } else {
          answer = await send(way, url, request, body, {
            clock,
            timeoutMs,
            deadline: mutation ? deadline : undefined,
            leaving: () => {
              if (mutation) mutated = true;
            },
          });
        }
        exchange.tookMs = Math.round(clock.monotonic() - start);
        if (answer.ended === 'answered') {
          exchange.status = answer.status;
          exchange.responseBody = answer.text === '' ? null : redactText(answer.text, hidden);
        } else {
          answer.reason = hideForms(answer.reason, hidden);
          exchange.error = answer.reason;
        }
        if (log.isLevelEnabled('debug')) {
          const { method, status, tookMs, error } = exchange;
          log.debug({ method, origin: url?.origin, status, tookMs, error }, 'outbound request');
        }
        return answer;
      }

      const courier: Courier = {
        exchanges,
        get mutated() {
          return mutated;
        },
        read: (request) => say(request, false),
        mutate(request) {
          if (asked) throw new Error('an attempt may send one mutation, and this connector asked for a second');
          asked = true;
          return say(request, true);
        },
      };
      return courier;
    },
    async close() {
      closed = true;
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

function openPool(url: URL, policy: AddressPolicy, options: OutboundOptions): Pool {
  const extra = options.ca === undefined ? [] : [options.ca].flat();
  return new Pool(url.origin, {
    connections: options.maxConnectionsPerOrigin ?? 64,
    // One request at a time on a connection: a second one behind it would be sent again by undici if the first broke.
    pipelining: 1,
    allowH2: false,
    // One timer of ours covers everything from connecting to the last byte.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      timeout: 15_000,
      lookup: policy.lookupFor(url.protocol),
      ...(extra.length > 0 ? { ca: [...getCACertificates('default'), ...extra] } : {}),
    },
  });
}

type Limits = {
  clock: Clock;
  timeoutMs: number;
  /** Reading of the monotonic clock after which the request may not leave. */
  deadline: number | (() => number) | undefined;
  /** Called directly before the request is written to its socket. */
  leaving: () => void;
};

function send(pool: Pool, url: URL, request: OutboundRequest, body: string | null, limits: Limits): Promise<Answer> {
  return new Promise((resolve) => {
    let left = false;
    let status = 0;
    let headers: Record<string, string> = {};
    let size = 0;
    let chunks: Buffer[] = [];
    let settled = false;
    let controller: Dispatcher.DispatchController | undefined;

    const cancelTimer = limits.clock.after(limits.timeoutMs, () => {
      const within = `within ${limits.timeoutMs} ms`;
      if (!left) {
        settle({ ended: 'not-sent', cause: 'connect', reason: `no connection to ${url.host} ${within}` });
      } else {
        const what = status === 0 ? `${url.host} did not answer` : `the answer of ${url.host} was not complete`;
        settle({ ended: 'unknown', cause: 'timeout', reason: `${what} ${within}` });
      }
      controller?.abort(new Error('timeout'));
    });

    function settle(answer: Answer): void {
      if (settled) return;
      settled = true;
      cancelTimer();
      resolve(answer);
    }

    const contentType = request.form ? 'application/x-www-form-urlencoded' : 'application/json';
    pool.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: { ...ours, ...(body === null ? {} : { 'content-type': contentType }), ...request.headers },
        body,
      },
      {
        onRequestStart(given) {
          controller = given;
          if (settled || left) {
            // Given up while it waited for a connection, or undici about to say it a second time.
            settle({ ended: 'unknown', cause: 'closed', reason: `${url.host} closed the connection` });
            given.abort(new Error('given up'));
            return;
          }
          const deadline = typeof limits.deadline === 'function' ? limits.deadline() : limits.deadline;
          if (deadline !== undefined && limits.clock.monotonic() > deadline) {
            const reason = 'the time for this attempt was over before the request could leave; nothing was sent';
            settle({ ended: 'not-sent', cause: 'deadline', reason });
            given.abort(new Error('deadline'));
            return;
          }
          left = true;
          limits.leaving();
        },
        onResponseStart(_, code, received) {
          status = code;
          headers = {};
          for (const name in received) {
            const value = received[name];
            if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
          }
        },
        onResponseData(given, chunk) {
          size += chunk.length;
          if (size > largestAnswer) {
            const reason = `${url.host} answered ${status} with more than ${largestAnswer / 1024 / 1024} MB`;
            settle({ ended: 'unknown', cause: 'half-answer', reason });
            given.abort(new Error('too large'));
            return;
          }
          chunks.push(chunk);
        },
        onResponseEnd() {
          const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
          chunks = [];
          const encoding = headers['content-encoding'];
          if (encoding === undefined || encoding === 'identity' || bytes.length === 0) {
            settle(readAnswer(status, headers, bytes));
            return;
          }
          decompress(encoding, bytes).then(
            (plain) => settle(readAnswer(status, headers, plain)),
            () => {
              const reason = `${url.host} answered ${status} in the encoding ${encoding}, which could not be read`;
              settle({ ended: 'unknown', cause: 'half-answer', reason });
            },
          );
        },
        onResponseError(_, error) {
          settle(left ? afterLeaving(error, url, status) : beforeLeaving(error, url));
        },
      },
    );
  });
}
