import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

/** A value that must not be printed: text, JSON and inspection all show `[secret]`. Only `reveal` gives it out. */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
  [inspect.custom](): string {
    return '[secret]';
  }
}

/** 32 bytes of key material for AES-256-GCM. */
export type SealingKey = Buffer & { readonly __sealingKey?: never };

const version = 'v1';

/**
 * Seals `plaintext` with AES-256-GCM. `context` is authenticated, not stored: what was sealed for one place cannot be
 * opened at another. Every call gives a different text.
 */
export function seal(key: SealingKey, plaintext: string, context: string): string {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(context, 'utf8'));
  const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return `${version}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url')}`;
}

/** Opens what `seal` made with the same key and context; throws when either differs or the text was changed. */
export function unseal(key: SealingKey, sealed: string, context: string): Secret {
  const [head, text] = sealed.split('.');
  if (head !== version || text === undefined) throw new Error('this is not a sealed value of a known version');
  const bytes = Buffer.from(text, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12));
  decipher.setAAD(Buffer.from(context, 'utf8'));
  decipher.setAuthTag(bytes.subarray(12, 28));
  return new Secret(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8'));
}
