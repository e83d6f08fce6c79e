import type { FakeRequest } from './scim2-request.ts';
import { type JsonObject, refuse } from './scim2-rules.ts';

export type PasswordRules = {
  /** What is wrong with a password, if anything; it is refused with 400 and this text. Default: nothing ever is. */
  judgePassword: (password: string) => string | undefined;
  /** True: a password that a user has or had is refused. Default false. */
  passwordHistory: boolean;
};

/** A password as it came in. `alone`: the request said nothing else, as a PATCH of one operation. */
export type HeardPassword = { method: string; id: string | undefined; password: string; alone: boolean };

/** Every password in these requests, in their order, whatever became of it. */
export function passwordsIn(requests: readonly FakeRequest[]): HeardPassword[] {
  return requests.flatMap(({ method, id, body }) => {
    if (typeof body !== 'object' || body === null) return [];
    const { password, Operations: operations } = body as { password?: unknown; Operations?: unknown };
    if (typeof password === 'string') return [{ method, id, password, alone: false }];
    if (!Array.isArray(operations)) return [];
    return operations
      .filter((operation) => operation.path === 'password')
      .map(({ value }) => ({ method, id, password: String(value), alone: operations.length === 1 }));
  });
}

/** Which passwords users had; decides about new ones. */
export function openPasswordHistory(rules: PasswordRules) {
  const history = new Map<string, Set<string>>();
  return {
    /** Throws `Refusal` for one that is not taken. */
    check(before: JsonObject | undefined, after: JsonObject): void {
      const { password } = after;
      if (typeof password !== 'string') return;
      const id = before?.id as string | undefined;
      const fault = rules.judgePassword(password);
      if (fault !== undefined) refuse(400, 'invalidValue', fault);
      if (rules.passwordHistory && id !== undefined && history.get(id)?.has(password)) {
        refuse(400, 'invalidValue', 'this password was used before');
      }
    },
    note(id: string, { password }: JsonObject): void {
      if (typeof password === 'string') history.set(id, (history.get(id) ?? new Set()).add(password));
    },
  };
}
