import { statusCodes } from './identifiers.ts';

/** An attribute that was asked for and not there (section 5.58). */
export interface MissingAttribute {
  readonly category: string;
  readonly attributeId: string;
  readonly dataType: string;
  readonly issuer: string | undefined;
}

/**
 * What an expression answers when it has no value: it becomes *Indeterminate* with this status. It is returned, never
 * thrown, and is a class only so that `instanceof` tells it from a value.
 */
export class Failure {
  readonly code: string;
  readonly message: string;
  readonly missing: MissingAttribute | undefined;

  constructor(code: string, message: string, missing?: MissingAttribute) {
    this.code = code;
    this.message = message;
    this.missing = missing;
  }
}

export function failProcessing(message: string): Failure {
  return new Failure(statusCodes.processingError, message);
}

/** The answer once an evaluation has used up its steps. */
export const outOfSteps = failProcessing('the decision needs more steps than one decision may take');

/**
 * A policy, request or reference that cannot be accepted. Thrown only inside this room while a document is read and
 * compiled; what the room exports returns it as data.
 */
export class Refusal extends Error {
  readonly line: number;

  constructor(line: number, reason: string) {
    super(reason);
    this.name = 'Refusal';
    this.line = line;
  }
}
