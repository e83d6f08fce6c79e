import { PasswordInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { FederationAnswer } from '../../src/contract/federation.ts';
import { federationQuery } from '../api/queries.ts';
import { ChoiceField, errorOf, SwitchField, TextField, useDraft } from '../parts/form.tsx';
import { Shown } from '../parts/page.tsx';
import { Ago } from '../parts/time.tsx';
import { ClaimConfiguration, RoleConfiguration } from './federation-mapping.tsx';
import { FederationSection, linesOf, Registered } from './federation-section.tsx';
import { JustInTime } from './just-in-time.tsx';
import { SamlWebSso } from './saml-web-sso.tsx';

/** How people sign in through an identity provider: the sections of WSO2's form, in its order. */
export function Federation({ idpId }: { idpId: number }) {
  const query = useQuery(federationQuery(idpId));
  return (
    <Shown query={query} rows={4}>
      {(federation) => <FederationSections federation={federation} />}
    </Shown>
  );
}

export function FederationSections({ federation }: { federation: FederationAnswer }) {
  return (
    <>
      <ClaimConfiguration federation={federation} />
      <RoleConfiguration federation={federation} />
      <h2 className="card-title">Federated Authenticators</h2>
      <HomeRealm federation={federation} />
      <OpenIdConnect key={`oidc ${federation.authenticator?.type}`} federation={federation} />
      <SamlWebSso key={`saml ${federation.authenticator?.type}`} federation={federation} />
      <JustInTime federation={federation} />
    </>
  );
}

const fieldsOf = (...names: string[]) => names.map((name) => `authenticator.${name}`);
const fields = fieldsOf('issuer', 'clientId', 'clientSecret');

function OpenIdConnect({ federation }: { federation: FederationAnswer }) {
  const { redirectUri } = federation;
  const authenticator = federation.authenticator?.type === 'oidc' ? federation.authenticator : null;
  const draft = useDraft({
    enabled: authenticator?.enabled ?? false,
    issuer: authenticator?.issuer ?? '',
    clientId: authenticator?.clientId ?? '',
    clientSecret: '',
    scopes: (authenticator?.scopes ?? ['openid', 'profile', 'email']).join(' '),
  });
  const kept = authenticator?.clientSecret;
  return (
    <FederationSection
      title="OpenID Connect Configuration"
      isSet={authenticator !== null}
      federation={federation}
      draft={draft}
      fields={fields}
      settled={(values) => ({ ...values, clientSecret: '' })}
      toInput={({ clientSecret, scopes, ...rest }) => ({
        authenticator: {
          type: 'oidc',
          ...rest,
          scopes: linesOf(scopes),
          ...(clientSecret === '' ? {} : { clientSecret }),
        },
      })}
    >
      {(shared) => (
        <div className="form">
          <SwitchField
            draft={draft}
            name="enabled"
            label="Enable OpenID Connect"
            disabled={shared.disabled}
            help="The sign-in pages of applications offer it."
          />
          <Registered word="Callback Url" address={redirectUri} />
          <TextField
            {...shared}
            name="issuer"
            field="authenticator.issuer"
            label="Issuer"
            required
            help="As it says itself, to the letter: https://login.partner.example"
          />
          <TextField {...shared} name="clientId" field="authenticator.clientId" label="Client Id" required />
          <PasswordInput
            label="Client Secret"
            description={
              kept ? (
                <>
                  It was set {kept.since && <Ago time={kept.since} />}, and is never shown. To be given again when the
                  issuer changes.
                </>
              ) : (
                'Stored sealed, and never shown again.'
              )
            }
            placeholder={kept ? 'Replace it' : ''}
            autoComplete="new-password"
            disabled={shared.disabled}
            error={errorOf(shared.error, 'authenticator.clientSecret', 'Client Secret')}
            value={draft.values.clientSecret}
            onChange={(event) => draft.set('clientSecret', event.currentTarget.value)}
          />
          <TextField {...shared} name="scopes" label="Scopes" help="With blanks between; openid is always asked for." />
        </div>
      )}
    </FederationSection>
  );
}

/** Who is sent there without choosing, and who is found here. */
function HomeRealm({ federation }: { federation: FederationAnswer }) {
  const { domains, linkBy } = federation;
  const draft = useDraft({ domains: domains.join(' '), linkBy });
  return (
    <FederationSection
      title="Home Realm and Account Linking"
      isSet={domains.length > 0 || linkBy !== 'none'}
      federation={federation}
      draft={draft}
      fields={['linkBy']}
      toInput={(values) => ({ domains: linesOf(values.domains), linkBy: values.linkBy })}
    >
      {(shared) => (
        <div className="form">
          <TextField
            {...shared}
            name="domains"
            label="E-mail domains"
            help="Whoever types an address of one of them as user name is sent there: partner.example"
          />
          <ChoiceField
            {...shared}
            name="linkBy"
            label="Somebody who is here already is found by"
            help="By an address only where it checks who owns an address."
            options={[
              { value: 'none', label: 'nothing: only who signed in that way before' },
              { value: 'verifiedEmail', label: 'the e-mail address that it has verified' },
            ]}
          />
        </div>
      )}
    </FederationSection>
  );
}
