/** Thrown by a step that saw something which must never happen. */
export class Wrong extends Error {}
