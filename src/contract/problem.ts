import { type Static, Type } from 'typebox';

/** Every refusal of the admin API: problem+json (RFC 9457). */
export const ProblemAnswer = Type.Object({
  type: Type.Literal('about:blank'),
  title: Type.String(),
  status: Type.Integer(),
  /** What happened, why, what to do. */
  detail: Type.String(),
  /** A word for programs: `uniqueness`, `invalidValue`, `notFound`, `notBuilt` … */
  code: Type.String(),
  /** The form field at fault, such as `name`, `settings.scim2-user-ep`, `policy.concurrency`, `bindings[0].target`. */
  field: Type.Optional(Type.String()),
  /** The line at fault, from 1, where the field is a text of several, such as a policy. */
  line: Type.Optional(Type.Integer()),
  /** Only with status 500: what the log calls this failure. */
  id: Type.Optional(Type.String()),
});
export type ProblemAnswer = Static<typeof ProblemAnswer>;
