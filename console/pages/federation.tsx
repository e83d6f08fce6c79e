import { PasswordInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { FederationAnswer } from '../../src/contract/federation.ts';
import { federationQuery } from '../api/queries.ts';
import { Copy } from '../parts/code.tsx';
import { ChoiceField, errorOf, SwitchField, TextField, useDraft } from '../parts/form.tsx';
import { Shown } from '../parts/page.tsx';
import { Ago } from '../parts/time.tsx';
import { ClaimConfiguration, RoleConfiguration } from './federation-mapping.tsx';
import { FederationSection, linesOf } from './federation-section.tsx';
import { JustInTime } from './just-in-time.tsx';

/** How people sign in through an identity provider: the sections of WSO2's form, in its order. */
export function Federation({ idpId }: { idpId: number }) {
  const query = useQuery(federationQuery(idpId));
  return (
    <Shown query={query} rows={4}>
      {(federation) => (
        <>
          <ClaimConfiguration federation={federation} />
          <RoleConfiguration federation={federation} />
          <h2 className="card-title">Federated Authenticators</h2>
          <OpenIdConnect federation={federation} />
          <JustInTime federation={federation} />
        </>
      )}
    </Shown>
  );
}

const fields = ['issuer', 'clientId', 'clientSecret', 'enabled'].map((name) => `authenticator.${name}`);

function OpenIdConnect({ federation }: { federation: FederationAnswer }) {
  const { authenticator, domains, linkBy, redirectUri } = federation;
  const draft = useDraft({
    enabled: authenticator?.enabled ?? false,
    issuer: authenticator?.issuer ?? '',
    clientId: authenticator?.clientId ?? '',
    clientSecret: '',
    scopes: (authenticator?.scopes ?? ['openid', 'profile', 'email']).join(' '),
    domains: domains.join(' '),
    linkBy,
  });
  const kept = authenticator?.clientSecret;
  return (
    <FederationSection
      title="OpenID Connect Configuration"
      isSet={authenticator !== null}
      federation={federation}
      draft={draft}
      fields={[...fields, 'linkBy']}
      settled={(values) => ({ ...values, clientSecret: '' })}
      toInput={({ domains: typed, linkBy: chosen, clientSecret, scopes, ...rest }) => ({
        authenticator: {
          type: 'oidc',
          ...rest,
          scopes: linesOf(scopes),
          ...(clientSecret === '' ? {} : { clientSecret }),
        },
        domains: linesOf(typed),
        linkBy: chosen,
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
          <div>
            <div className="small">Callback Url</div>
            <div className="row wrap">
              <span className="mono">{redirectUri}</span>
              <Copy text={redirectUri} />
            </div>
            <div className="muted small">To be registered at the identity provider.</div>
          </div>
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
                  It is set{kept.since && <Ago time={kept.since} />}, and never shown. To be given again when the issuer
                  changes.
                </>
              ) : (
                'Stored sealed, and never shown again.'
              )
            }
            placeholder={kept ? 'Replace it' : ''}
            autoComplete="new-password"
            disabled={shared.disabled}
            error={errorOf(shared.error, 'authenticator.clientSecret')}
            value={draft.values.clientSecret}
            onChange={(event) => draft.set('clientSecret', event.currentTarget.value)}
          />
          <TextField {...shared} name="scopes" label="Scopes" help="With blanks between; openid is always asked for." />
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
