/**
 * A `Problem` says that the caller's request cannot be done, and why. It is thrown by any room and translated by the
 * door that took the request. The table is closed: a new kind of refusal is a new row here.
 *
 * `scimType` is the word of RFC 7644 section 3.12, or of RFC 9865, where there is one.
 */
const table = {
  invalidSyntax: { status: 400, scimType: 'invalidSyntax' },
  invalidFilter: { status: 400, scimType: 'invalidFilter' },
  invalidPath: { status: 400, scimType: 'invalidPath' },
  invalidValue: { status: 400, scimType: 'invalidValue' },
  noTarget: { status: 400, scimType: 'noTarget' },
  mutability: { status: 400, scimType: 'mutability' },
  invalidCursor: { status: 400, scimType: 'invalidCursor' },
  invalidCount: { status: 400, scimType: 'invalidCount' },
  tooMany: { status: 400, scimType: 'tooMany' },
  notAuthenticated: { status: 401, scimType: undefined },
  passwordChangeRequired: { status: 403, scimType: undefined },
  notAllowed: { status: 403, scimType: undefined },
  sensitive: { status: 403, scimType: 'sensitive' },
  notFound: { status: 404, scimType: undefined },
  methodNotAllowed: { status: 405, scimType: undefined },
  uniqueness: { status: 409, scimType: 'uniqueness' },
  conflict: { status: 409, scimType: undefined },
  preconditionFailed: { status: 412, scimType: undefined },
  tooLarge: { status: 413, scimType: undefined },
  unsupportedMediaType: { status: 415, scimType: undefined },
  tooManyRequests: { status: 429, scimType: undefined },
  notBuilt: { status: 501, scimType: undefined },
  overloaded: { status: 503, scimType: undefined },
} as const;

export type ProblemCode = keyof typeof table;

export class Problem extends Error {
  readonly code: ProblemCode;
  /** HTTP status a door answers with. */
  readonly status: number;
  readonly scimType: string | undefined;
  /** The attribute or form field at fault, as the caller named it. */
  readonly field: string | undefined;
  /** The line at fault, from 1, where the field is a text of several. */
  readonly line: number | undefined;

  /** `detail` is for the caller: what happened, why, what to do. It never carries a secret. */
  constructor(code: ProblemCode, detail: string, options: { field?: string; line?: number; cause?: unknown } = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.code = code;
    this.status = table[code].status;
    this.scimType = table[code].scimType;
    this.field = options.field;
    this.line = options.line;
  }
}
