import { type Static, Type } from 'typebox';

/** `POST /api/password`, by the operator whose password it is. Works while a change is demanded. */
export const PasswordInput = Type.Object({
  /** At least 12 characters, and not the one before. */
  newPassword: Type.String(),
  /** The one before: demanded in a session, where it did not come with the request. */
  oldPassword: Type.Optional(Type.String()),
});
export type PasswordInput = Static<typeof PasswordInput>;
