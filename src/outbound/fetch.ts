import { Secret } from '../base/secret.ts';
import type { Outbound } from './outbound.ts';

/** The part of `fetch` that protocol libraries need which let others send for them. */
export type Fetch = (
  url: string,
  options: { method: string; headers: Record<string, string>; body?: unknown },
) => Promise<Response>;

/** Statuses whose answer has no body. */
const bare = new Set([204, 205, 304]);

/**
 * A `fetch` that goes out as everything else does: the same addresses are refused, nothing is followed elsewhere, and
 * every answer has an end. What is no answer rejects, saying why in words that may be shown. Forms are sent, no other
 * bodies.
 */
export function makeFetch(outbound: Outbound, { timeoutMs }: { timeoutMs: number }): Fetch {
  return async (url, { method, headers, body }) => {
    if (body !== undefined && body !== null && !(body instanceof URLSearchParams)) {
      throw new Error('only forms are sent this way');
    }
    const courier = outbound.courier({ deadline: Number.POSITIVE_INFINITY, timeoutMs });
    const form = body instanceof URLSearchParams ? Object.fromEntries(body) : undefined;
    const answer = await courier.read({
      method: method === 'POST' ? 'POST' : 'GET',
      url,
      headers,
      ...(form ? { form } : {}),
      secrets: form?.client_secret === undefined ? [] : [new Secret(form.client_secret)],
    });
    if (answer.ended !== 'answered') throw new Error(answer.reason);
    // The body is read and unpacked, so what was said of its form on the way no longer holds.
    const {
      'content-encoding': _encoding,
      'content-length': _length,
      'transfer-encoding': _transfer,
      ...kept
    } = answer.headers;
    return new Response(bare.has(answer.status) ? null : answer.text, { status: answer.status, headers: kept });
  };
}
