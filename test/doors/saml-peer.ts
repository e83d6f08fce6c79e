import { createRequire } from 'node:module';
import { inflateRawSync } from 'node:zlib';
import { peers } from './saml-certificates.ts';

type Options = Record<string, unknown>;
type Samlp = {
  parseRequest(request: object, options: Options, done: (error: Error | null, said: object) => void): void;
  getSamlResponse(options: Options, user: object, done: (error: Error | null, xml: string) => void): void;
};

/** An identity provider by `samlp`, which knows nothing of us: it signs what a test has it say. */
export type SamlPeer = {
  entityId: string;
  signOnUrl: string;
  certificate: string;
  /** Reads an authentication request and sees to its signature, where it has one. */
  read(address: string, signingCert: string): Promise<object>;
  /** The answer to an authentication request, as a browser would post it. */
  answer(address: string, given: { nameId: string; claims?: Options; options?: Options }): Promise<SamlAnswer>;
};

/** `id`: of the request that it answers. */
export type SamlAnswer = { xml: string; RelayState: string; id: string };

export function openSamlPeer(n: 0 | 1 = 0): SamlPeer {
  const samlp = createRequire(import.meta.url)('samlp') as Samlp;
  const { cert: certificate, key } = peers[n];
  const entityId = 'urn:partner:idp';
  return {
    entityId,
    signOnUrl: 'https://login.partner.example/sso',
    certificate,
    read(address, signingCert) {
      const query = Object.fromEntries(new URL(address).searchParams);
      return new Promise((resolve, reject) => {
        const done = (error: Error | null, said: object) => (error ? reject(error) : resolve(said));
        samlp.parseRequest({ query }, { signingCert, deflate: true }, done);
      });
    },
    async answer(address, { nameId, claims = {}, options = {} }) {
      const { searchParams } = new URL(address);
      const request = inflateRawSync(Buffer.from(searchParams.get('SAMLRequest')!, 'base64')).toString();
      const said = (pattern: RegExp) => pattern.exec(request)![1]!;
      const acs = said(/AssertionConsumerServiceURL="([^"]+)"/);
      const id = said(/ ID="([^"]+)"/);
      const xml = await new Promise<string>((resolve, reject) => {
        const all = {
          issuer: entityId,
          cert: certificate,
          key,
          audience: said(/<saml:Issuer[^>]*>([^<]+)</),
          recipient: acs,
          destination: acs,
          inResponseTo: id,
          signatureAlgorithm: 'rsa-sha256',
          digestAlgorithm: 'sha256',
          lifetimeInSeconds: 300,
          profileMapper: () => ({
            getClaims: () => claims,
            getNameIdentifier: () => ({ nameIdentifier: nameId }),
          }),
          nameIdentifierFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
          ...options,
        };
        samlp.getSamlResponse(all, {}, (error, text) => (error ? reject(error) : resolve(text)));
      });
      return { xml, RelayState: searchParams.get('RelayState')!, id };
    },
  };
}
