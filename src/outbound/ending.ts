import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { addressRefused } from './address.ts';
import type { Answer } from './courier.ts';

/** A longer answer is no answer: `half-answer`. Bytes, also after decompression. */
export const largestAnswer = 4 * 1024 * 1024;

/** A whole answer, its body read. */
export function readAnswer(status: number, headers: Record<string, string>, bytes: Buffer): Answer {
  let text = bytes.toString('utf8');
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  return { ended: 'answered', status, headers, body: readBody(text), text };
}

/** The JSON value, or undefined when the text is none: some targets answer JSON under other content types. */
function readBody(text: string): unknown {
  const first = /\S/.exec(text)?.[0];
  if (first !== '{' && first !== '[') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undoes a compression, which we never ask for and some apply all the same. Rejects what is unknown or past the bound. */
export async function decompress(encoding: string, bytes: Buffer): Promise<Buffer> {
  const bound = { maxOutputLength: largestAnswer };
  if (encoding === 'gzip' || encoding === 'x-gzip') return promisify(gunzip)(bytes, bound);
  if (encoding === 'deflate') return promisify(inflate)(bytes, bound);
  if (encoding === 'br') return promisify(brotliDecompress)(bytes, bound);
  throw new Error('unknown encoding');
}

function codeOf(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  return typeof code === 'string' ? code : '';
}

const nameCodes = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NODATA', 'EAI_NONAME', 'ENODATA', 'ESERVFAIL']);
const tlsCode = /^ERR_TLS|^ERR_SSL|^ERR_OSSL|^CERT_|CERTIFICATE|^UNABLE_TO_|SELF_SIGNED|^EPROTO$|^HOSTNAME_MISMATCH/;

/** Ends a request whose connection never stood: it certainly did not arrive. */
export function beforeLeaving(error: Error, url: URL): Answer {
  const code = codeOf(error);
  if (code === addressRefused) return { ended: 'not-sent', cause: 'address', reason: `${url.host}: ${error.message}` };
  if (nameCodes.has(code)) {
    const reason = `the name ${url.hostname} was not found (${code}); check the address and the name service`;
    return { ended: 'not-sent', cause: 'dns', reason };
  }
  if (tlsCode.test(code)) {
    const reason = `no trusted connection to ${url.host}: ${error.message} (${code})`;
    return { ended: 'not-sent', cause: 'tls', reason };
  }
  const what = code === 'ECONNREFUSED' ? 'refused the connection' : `could not be reached: ${error.message}`;
  return { ended: 'not-sent', cause: 'connect', reason: `${url.host} ${what}` };
}

/**
 * With TLS 1.3 a server judges the client's certificate only after the client believes to be connected, so this alert
 * comes when the request is already written; the server read none of it.
 */
const clientCertificateAlert = /^ERR_SSL_.*ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA)/;

/** Ends a request that broke after it was written; `status` is that of the answer that had begun, else 0. */
export function afterLeaving(error: Error, url: URL, status: number): Answer {
  const code = codeOf(error);
  if (status === 0 && clientCertificateAlert.test(code)) {
    return { ended: 'not-sent', cause: 'tls', reason: `${url.host} asks for a client certificate (${code})` };
  }
  if (status !== 0 || code.startsWith('HPE_')) {
    const what = status === 0 ? 'something that is not HTTP' : `${status}, but not the whole answer`;
    return { ended: 'unknown', cause: 'half-answer', reason: `${url.host} sent ${what} (${code || error.message})` };
  }
  const reason = `${url.host} closed the connection without an answer (${code || error.message})`;
  return { ended: 'unknown', cause: 'closed', reason };
}
