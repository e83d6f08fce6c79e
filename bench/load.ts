import { Pool } from 'undici';

export type Call = { method: 'GET' | 'POST' | 'PATCH'; path: string; body?: string; expect: number };

export type Measured = { calls: number; seconds: number; perSecond: number };

/**
 * Sends calls number 0, 1, 2 … over `connections` kept connections, each waiting for its answer before the next, until
 * `calls` were sent or `maxSeconds` are over. Throws at the first answer with another status than expected.
 */
export async function sendCalls(options: {
  url: string;
  headers: Record<string, string>;
  connections: number;
  calls: number;
  maxSeconds?: number;
  call(n: number): Call;
  onAnswer?(n: number, text: string): void;
}): Promise<Measured> {
  const { url, headers, connections, calls, maxSeconds = 60, call, onAnswer } = options;
  const pool = new Pool(new URL(url).origin, { connections, pipelining: 1 });
  const started = performance.now();
  const deadline = started + maxSeconds * 1000;
  let next = 0;
  let answered = 0;
  const work = async () => {
    while (next < calls && performance.now() < deadline) {
      const n = next++;
      const { method, path, body, expect } = call(n);
      const answer = await pool.request({ method, path, headers, ...(body === undefined ? {} : { body }) });
      const text = await answer.body.text();
      if (answer.statusCode !== expect) {
        throw new Error(`${method} ${path} answered ${answer.statusCode}, not ${expect}: ${text.slice(0, 500)}`);
      }
      answered++;
      onAnswer?.(n, text);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, work));
    const seconds = (performance.now() - started) / 1000;
    return { calls: answered, seconds, perSecond: answered / seconds };
  } finally {
    await pool.destroy();
  }
}

/** User number `n`, as a directory would send it. */
export function makeUser(n: number): { userName: string; body: string } {
  const userName = `user.${n}`;
  const body = JSON.stringify({
    schemas: [
      'urn:ietf:params:scim:schemas:core:2.0:User',
      'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
    ],
    userName,
    name: { givenName: `Given${n % 997}`, familyName: `Family${n % 1013}` },
    displayName: `Given${n % 997} Family${n % 1013}`,
    title: 'Engineer',
    active: true,
    emails: [{ value: `${userName}@acme.example`, type: 'work', primary: true }],
    phoneNumbers: [{ value: '+44 20 7946 0123', type: 'work' }],
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': {
      employeeNumber: `E${10_000 + n}`,
      department: `Department ${n % 40}`,
      costCenter: `CC-${4100 + (n % 12) * 100}`,
    },
  });
  return { userName, body };
}

export const rate = (value: number): string => `${Math.round(value).toLocaleString('en-US')}/s`;
