import { existsSync, readFileSync } from 'node:fs';
import type { Secret } from '../base/secret.ts';
import { type ClientConfig, readClientConfig } from '../config.ts';
import type { ProblemAnswer } from '../contract/problem.ts';

/** Something the person at the terminal can mend. Printed as one line, exit code 1. */
export class CliError extends Error {
  readonly status: number | undefined;
  readonly field: string | undefined;
  constructor(message: string, about: { status?: number; field?: string } = {}) {
    super(message);
    this.name = 'CliError';
    this.status = about.status;
    this.field = about.field;
  }
}

export type Change = 'created' | 'updated' | 'unchanged';

/** The admin API of a running server. Every call throws `CliError` for whatever is not a success. */
export interface Client {
  readonly url: string;
  get<T>(path: string, query?: Record<string, string | number | undefined>): Promise<T>;
  /** The answer, and what the server says it did. */
  send<T>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<{ answer: T; change: Change }>;
}

/** Options of every command that talks to a server. */
export type ClientOptions = { url?: string; data?: string };

/** A client from options, environment and the token file in the data folder, in this order. Sends nothing yet. */
export function openClient(options: ClientOptions): Client {
  const config = readClientConfig({ PURVEY_URL: options.url, PURVEY_DATA: options.data });
  return makeClient(config.url, readToken(config));
}

export function makeClient(url: string, token: Secret): Client {
  async function call(method: string, path: string, body?: unknown): Promise<Response> {
    const init: RequestInit = {
      method,
      headers: {
        authorization: `Bearer ${token.reveal()}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(90_000),
    };
    let response: Response;
    try {
      response = await fetch(`${url}/api${path}`, init);
    } catch (error) {
      const reason = reasonOf(error);
      const hint = /CERT|TLS|SSL/.test(reason)
        ? 'if the certificate is right but of your own making, name it in NODE_EXTRA_CA_CERTS'
        : 'is a server running there? Start one with: purvey serve';
      throw new CliError(`${url} does not answer (${reason}): ${hint}`);
    }
    if (!response.ok) throw await errorOf(response, url);
    return response;
  }
  return {
    url,
    async get<T>(path: string, query: Record<string, string | number | undefined> = {}) {
      const given = Object.entries(query).filter(([, value]) => value !== undefined);
      const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
      const response = await call('GET', search === '' ? path : `${path}?${search}`);
      return (await response.json()) as T;
    },
    async send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown) {
      const response = await call(method, path, body);
      const change = (response.headers.get('purvey-change') ?? 'updated') as Change;
      return { answer: (response.status === 204 ? undefined : await response.json()) as T, change };
    },
  };
}

function readToken(config: ClientConfig): Secret {
  if (config.token) return config.token;
  if (!existsSync(config.tokenFile)) {
    throw new CliError(
      `there is no token to sign in with: set PURVEY_TOKEN, or name the server's data folder with --data (looked for ${config.tokenFile})`,
    );
  }
  try {
    const token = readFileSync(config.tokenFile, 'utf8').trim();
    return readClientConfig({ PURVEY_TOKEN: token }, {}).token!;
  } catch (error) {
    throw new CliError(`${config.tokenFile} cannot be read: ${(error as Error).message}`);
  }
}

async function errorOf(response: Response, url: string): Promise<CliError> {
  const text = await response.text();
  let problem: Partial<ProblemAnswer> = {};
  if (response.headers.get('content-type')?.includes('json')) {
    try {
      problem = JSON.parse(text) as Partial<ProblemAnswer>;
    } catch {
      // Not ours; said below.
    }
  }
  const about = { status: response.status, ...(problem.field === undefined ? {} : { field: problem.field }) };
  if (response.status === 401) {
    const hint = 'check PURVEY_TOKEN, or the file admin-token in the data folder';
    return new CliError(`${url} refused the token: ${hint}`, about);
  }
  // The SCIM door has details too; only the admin API has codes.
  if (problem.detail === undefined || problem.code === undefined) {
    return new CliError(
      `${url} answered ${response.status} and is not the admin API of Purvey: check PURVEY_URL`,
      about,
    );
  }
  return new CliError(problem.detail, about);
}

function reasonOf(error: unknown): string {
  const { cause, name } = error as { cause?: { code?: string; message?: string }; name?: string };
  if (name === 'TimeoutError') return 'no answer within 90 s';
  return cause?.code ?? cause?.message ?? String(error);
}
