import { type TSchema, Type } from 'typebox';

/** One thing that the admin API can do. */
export type Operation = {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below `/api`, parameters in braces. */
  path: string;
  summary: string;
  /** What each parameter of the query means. */
  query?: Record<string, string>;
  body?: { shape: TSchema; required: boolean };
  /** By status; null: without a body. Every refusal is a `ProblemAnswer`. */
  answers: Record<number, TSchema | null>;
  /** Of body and answer; default `application/json`. */
  media?: 'application/xacml+xml' | 'text/event-stream';
  /** What it takes and answers besides, in another notation. */
  also?: { media: 'application/xacml+json'; body: TSchema; answer: TSchema };
  /** `configures`: takes `?dryRun=true`, and says in the header `purvey-change` what it did. */
  is?: 'configures' | 'open';
  /** Who may: everybody (`read`), administrators and operators (`operate`), administrators (`administer`). See `needOf`. */
  needs?: 'read' | 'operate' | 'administer';
};

/** Unless it says otherwise, reading is for all, and the rest for administrators. */
export function needOf({ method, needs }: Operation): NonNullable<Operation['needs']> {
  return needs ?? (method === 'get' ? 'read' : 'administer');
}

export const given = (shape: TSchema) => ({ shape, required: true });
export const anyPartOf = (shape: Parameters<typeof Type.Partial>[0]) => given(Type.Partial(shape));

export const list = 'The greatest number of items: 1 to 1000, else 100';
export const after = 'The next of the page before';

/** What can be done with one thing by id or name: read, replaced, changed in part, removed. */
export function one(
  path: string,
  what: string,
  input: Parameters<typeof Type.Partial>[0],
  answer: TSchema,
  changed: TSchema = answer,
): Operation[] {
  const answers = { 200: answer };
  const after = { 200: changed };
  return [
    { method: 'get', path, summary: `Read ${what}, by id or name`, answers },
    { method: 'put', path, summary: `Replace ${what}`, body: given(input), answers: after, is: 'configures' },
    {
      method: 'patch',
      path,
      summary: `Change parts of ${what}`,
      body: anyPartOf(input),
      answers: after,
      is: 'configures',
    },
    { method: 'delete', path, summary: `Remove ${what}`, answers: { 204: null } },
  ];
}
