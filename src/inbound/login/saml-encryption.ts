import type { Secret } from '../../base/secret.ts';

type Decrypt = (
  xml: string,
  options: { key: string; disallowDecryptionWithInsecureAlgorithm: boolean; warnInsecureAlgorithm: boolean },
  done: (error: Error | null, text?: string) => void,
) => void;

const opening = /<((?:[\w.-]+:)?EncryptedAssertion)(?:\s[^<>]*)?>/;
/** The first can be made to decrypt what others were sent, the second has too short blocks. */
const unsafe = /xmlenc#(?:rsa-1_5|tripledes-cbc)["']/;

/** Why an assertion cannot be read, in words for the page. */
export class Unreadable extends Error {}

export const isEncrypted = (xml: string) => opening.test(xml);

/**
 * The answer with its assertion in the place of what was encrypted, so that it is looked at like any other. Throws
 * `Unreadable` where the key is another, or what is used cannot be trusted; anything else that is thrown depends on what
 * was encrypted, and is not for whoever sent it: from many such hints it could be guessed (XML Encryption section 6.1.2).
 */
export async function decryptAssertion(xml: string, key: Secret): Promise<string> {
  const { before, inner, after } = cut(xml);
  if (unsafe.test(inner)) throw new Unreadable('it is encrypted by RSA 1.5 or Triple DES, which are not safe');
  const { default: library } = (await import(libraryName)) as { default: { decrypt: Decrypt } };
  // Names may have been declared further out; these are the usual ones.
  const declared = `<x xmlns:ds="http://www.w3.org/2000/09/xmldsig#" xmlns:xenc="http://www.w3.org/2001/04/xmlenc#">${inner}</x>`;
  const options = { key: key.reveal(), disallowDecryptionWithInsecureAlgorithm: true, warnInsecureAlgorithm: false };
  const assertion = await new Promise<string>((resolve, reject) => {
    library.decrypt(declared, options, (error, text) => (text === undefined ? reject(error) : resolve(text)));
  }).catch((error: Error & { code?: string }) => {
    if (!error.code?.startsWith('ERR_OSSL_RSA')) throw error;
    throw new Unreadable('it is encrypted for another key than the one that is set here', { cause: error });
  });
  return `${before}${assertion}${after}`;
}

/** By places and not by one pattern, which would take its time with many that begin and none that ends. */
function cut(xml: string): { before: string; inner: string; after: string } {
  const [tag, name] = opening.exec(xml) as unknown as [string, string];
  const from = xml.indexOf(tag);
  const to = xml.indexOf(`</${name}`, from);
  const end = xml.indexOf('>', to);
  if (to < 0 || end < 0) throw new Unreadable('it holds an encrypted assertion that does not end');
  const inner = xml.slice(from + tag.length, to);
  // The library makes a question of it, in which quotes would have a meaning.
  for (const [, attributes] of inner.matchAll(/RetrievalMethod([^<>]*)/g)) {
    if (!plainAttributes.test(attributes!)) throw new Unreadable('it does not say plainly where its key is');
  }
  return { before: xml.slice(0, from), inner, after: xml.slice(end + 1) };
}

const plainAttributes = /^(?:\s+[\w:.-]+\s*=\s*(?:"[^"'&]*"|'[^"'&]*'))*\s*\/?$/;

/** It has no types. */
const libraryName = 'xml-encryption';
