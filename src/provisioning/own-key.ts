import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { Problem } from '../base/problem.ts';
import { Secret } from '../base/secret.ts';
import { readCertificate } from './identity-providers.ts';
import { readOptionalText } from './names.ts';

/** What this server shows itself by towards one identity provider: a certificate, in PEM, and its private key. */
export type OwnKey = { ownCertificate: string | null; ownKey: Secret | null };

export const noOwnKey: OwnKey = { ownCertificate: null, ownKey: null };

const leastBits = 2_048;

/**
 * Both or none. A key that is left out (or comes back as `{ set: true }`) stays `before` while there is a certificate, null
 * removes it. Throws Problem `invalidValue` with the `field` at fault, which never says anything of the key.
 */
export function readOwnKey(given: { ownCertificate?: unknown; ownKey?: unknown }, before: OwnKey): OwnKey {
  const [ofCertificate, ofKey] = ['authenticator.ownCertificate', 'authenticator.ownKey'];
  const ownCertificate = readCertificate(given.ownCertificate, ofCertificate);
  if (ownCertificate === null && given.ownKey === undefined) return noOwnKey;
  const ownKey = isLeft(given.ownKey) ? before.ownKey : readKey(given.ownKey, ofKey);
  if (ownCertificate === null && ownKey === null) return noOwnKey;
  if (ownCertificate === null) return refuse(ofCertificate, 'is required with ownKey: the certificate of that key');
  if (ownKey === null) return refuse(ofKey, 'is required with ownCertificate: the private key of that certificate');
  if (ownCertificate.split('BEGIN CERTIFICATE').length > 2) refuse(ofCertificate, 'must be one certificate alone');
  const certificate = new X509Certificate(ownCertificate);
  if (!certificate.checkPrivateKey(createPrivateKey(ownKey.reveal()))) {
    refuse(ofKey, 'is not the key of ownCertificate: give both that belong together');
  }
  // Without what may stand around it: it is copied into the metadata.
  return { ownCertificate: certificate.toString(), ownKey };
}

const isLeft = (value: unknown) =>
  value === undefined || (typeof value === 'object' && value !== null && (value as { set?: unknown }).set === true);

function refuse(field: string, why: string): never {
  throw new Problem('invalidValue', `${field} ${why}`, { field });
}

/** Kept in one form, whichever it was given in. */
function readKey(value: unknown, field: string): Secret | null {
  const text = readOptionalText(value, field, 20_000)?.trim();
  if (text === undefined || text === '') return null;
  if (/ENCRYPTED/.test(text)) refuse(field, 'is locked by a passphrase: give it without one, it is kept sealed');
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    return refuse(field, 'must be a private key in PEM: text that begins with -----BEGIN PRIVATE KEY-----');
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < leastBits) {
    refuse(field, `must be an RSA key of at least ${leastBits} bits`);
  }
  return new Secret(key.export({ type: 'pkcs8', format: 'pem' }).toString());
}
