import { EventSource } from 'eventsource';
import type { ProblemAnswer } from '../../src/contract/problem.ts';

/** The server refused or failed, and says why. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** The form field at fault, as the API names it. */
  readonly field: string | undefined;
  readonly line: number | undefined;

  constructor(problem: Pick<ProblemAnswer, 'status' | 'detail' | 'code' | 'field' | 'line'>) {
    super(problem.detail);
    this.name = 'ApiError';
    this.status = problem.status;
    this.code = problem.code;
    this.field = problem.field;
    this.line = problem.line;
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type Query = Record<string, string | number | boolean | undefined>;

const ours = { 'purvey-client': 'console' };

/** Below `/api`. The header says that no page of another site made the browser call; the server demands it. */
export async function call<T>(
  method: Method,
  path: string,
  options: { query?: Query; body?: unknown } = {},
): Promise<T> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined) search.set(name, String(value));
  }
  const where = search.size === 0 ? `/api${path}` : `/api${path}?${search}`;
  let response: Response;
  try {
    response = await fetch(where, {
      method,
      headers: {
        ...ours,
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
  } catch {
    const detail = 'The server does not answer. It may be restarting, or the network is away.';
    throw new ApiError({ status: 0, detail, code: 'unreachable' });
  }
  const text = await response.text();
  if (response.ok) return (text === '' ? undefined : JSON.parse(text)) as T;
  throw new ApiError(readProblem(response.status, text));
}

function readProblem(status: number, text: string): ProblemAnswer {
  try {
    return JSON.parse(text) as ProblemAnswer;
  } catch {
    const detail = `The server answered with status ${status} and nothing that can be read.`;
    return { type: 'about:blank', title: '', status, detail, code: 'unreadable' };
  }
}

export const get = <T>(path: string, query?: Query) => call<T>('GET', path, query ? { query } : {});

/** One step of a path: a name or id. */
export const step = (text: string | number) => encodeURIComponent(String(text));

/**
 * The events of the server, heard until `close`. A connection that breaks is opened again by itself, each loss told to
 * `lose`; one that the server refuses is over.
 */
export function listen(
  hear: (event: 'hello' | 'news', data: unknown) => void,
  lose: () => void,
): { close(): void; isOver(): boolean } {
  // The browser's own could not say that it is the console.
  const source = new EventSource('/api/events', {
    fetch: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, ...ours } }),
  });
  for (const event of ['hello', 'news'] as const) {
    source.addEventListener(event, ({ data }) => hear(event, JSON.parse(String(data))));
  }
  source.addEventListener('error', lose);
  return { close: () => source.close(), isOver: () => source.readyState === EventSource.CLOSED };
}
