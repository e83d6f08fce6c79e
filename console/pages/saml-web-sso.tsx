import type { FederationAnswer } from '../../src/contract/federation.ts';
import { SwitchField, TextField, useDraft } from '../parts/form.tsx';
import { Ago } from '../parts/time.tsx';
import { FederationSection, Registered } from './federation-section.tsx';

const fields = ['entityId', 'signOnUrl', 'certificate', 'ownCertificate', 'ownKey'].map(
  (name) => `authenticator.${name}`,
);

export function SamlWebSso({ federation }: { federation: FederationAnswer }) {
  const { redirectUri, metadataUrl } = federation;
  const authenticator = federation.authenticator?.type === 'saml' ? federation.authenticator : null;
  const draft = useDraft({
    enabled: authenticator?.enabled ?? false,
    entityId: authenticator?.entityId ?? '',
    signOnUrl: authenticator?.signOnUrl ?? '',
    certificate: authenticator?.certificate ?? '',
    signRequests: authenticator?.signRequests ?? false,
    requireEncryption: authenticator?.requireEncryption ?? false,
    ownCertificate: authenticator?.ownCertificate ?? '',
    ownKey: '',
  });
  const kept = authenticator?.ownKey;
  return (
    <FederationSection
      title="SAML2 Web SSO Configuration"
      isSet={authenticator !== null}
      federation={federation}
      draft={draft}
      fields={fields}
      settled={(values) => ({ ...values, ownKey: '' })}
      toInput={({ ownKey, ownCertificate, ...rest }) => ({
        authenticator: {
          type: 'saml',
          ...rest,
          ownCertificate: ownCertificate.trim() === '' ? null : ownCertificate,
          ...(ownKey.trim() === '' ? {} : { ownKey }),
        },
      })}
    >
      {(shared) => (
        <div className="form">
          <SwitchField
            draft={draft}
            name="enabled"
            label="Enable SAML2 Web SSO"
            disabled={shared.disabled}
            help="In the place of OpenID Connect: an identity provider is asked one way."
          />
          <Registered word="Assertion Consumer Service" address={redirectUri} />
          <Registered word="Service Provider Entity Id, and metadata" address={metadataUrl} />
          <TextField
            {...shared}
            name="entityId"
            field="authenticator.entityId"
            label="Identity Provider Entity Id"
            required
            help="As it says itself, to the letter."
          />
          <TextField
            {...shared}
            name="signOnUrl"
            field="authenticator.signOnUrl"
            label="SSO URL"
            required
            help="Where it takes requests by HTTP-Redirect."
          />
          <TextField
            {...shared}
            name="certificate"
            field="authenticator.certificate"
            label="Signing Certificate"
            required
            rows={4}
            whole
            help="In PEM; two while it changes over."
          />
          <SwitchField
            draft={draft}
            name="signRequests"
            label="Enable Authentication Request Signing"
            disabled={shared.disabled}
            help="With the private key below."
          />
          <SwitchField
            draft={draft}
            name="requireEncryption"
            label="Enable Assertion Encryption"
            disabled={shared.disabled}
            help="An assertion that is not encrypted is refused. What is encrypted is read without it, too."
          />
          <TextField
            {...shared}
            name="ownCertificate"
            field="authenticator.ownCertificate"
            label="Certificate of Purvey"
            rows={4}
            whole
            help="In PEM. It stands in the metadata, for signatures and to encrypt for."
          />
          <TextField
            {...shared}
            name="ownKey"
            field="authenticator.ownKey"
            label="Private Key of Purvey"
            rows={4}
            whole
            placeholder={kept ? 'Replace it' : ''}
            help={
              kept ? (
                <>It was set {kept.since && <Ago time={kept.since} />}, and is never shown.</>
              ) : (
                'That of the certificate: RSA, in PEM, without a passphrase. Stored sealed, and never shown again.'
              )
            }
          />
        </div>
      )}
    </FederationSection>
  );
}
