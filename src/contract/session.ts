import { type Static, Type } from 'typebox';
import { listOf, Time } from './page.ts';

/** `POST /api/session`. */
export const SignInInput = Type.Object({ name: Type.String(), password: Type.String() });
export type SignInInput = Static<typeof SignInInput>;

/** Who calls. */
export const SessionAnswer = Type.Object({
  name: Type.String(),
  /** What the caller may do; a token with the scope `admin` may do what an administrator may. */
  role: Type.Enum(['administrator', 'operator', 'auditor']),
  by: Type.Enum(['session', 'basic', 'token']),
  /** Nothing but `POST /api/password` is done until the password is changed. */
  mustChangePassword: Type.Boolean(),
});
export type SessionAnswer = Static<typeof SessionAnswer>;

/** `service` calls SCIM by Basic, and nothing else. */
export const OperatorRole = Type.Enum(['administrator', 'operator', 'auditor', 'service'], {
  description: 'auditor: reads. operator: also tries again, pauses, resumes and syncs. service: only calls SCIM',
});
export type OperatorRole = Static<typeof OperatorRole>;

/** Unique without case; without a colon. */
export const OperatorInput = Type.Object({ name: Type.String(), role: OperatorRole });
export type OperatorInput = Static<typeof OperatorInput>;

export const OperatorRoleInput = Type.Object({ role: OperatorRole });

export const OperatorAnswer = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  role: OperatorRole,
  mustChangePassword: Type.Boolean(),
  createdAt: Time,
});
export type OperatorAnswer = Static<typeof OperatorAnswer>;
export const OperatorList = listOf(OperatorAnswer);

/** The only time that the password is shown. People must change it; a service account's stays as it is. */
export const OperatorMade = Type.Intersect([OperatorAnswer, Type.Object({ password: Type.String() })]);
export type OperatorMade = Static<typeof OperatorMade>;
