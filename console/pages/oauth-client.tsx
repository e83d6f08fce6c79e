import { Button, Checkbox, Modal, MultiSelect, NativeSelect, NumberInput, Switch, Textarea } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { OAuthClientAnswer, OAuthClientInput, OAuthClientMade } from '../../src/contract/oauth-client.ts';
import type { ServiceProviderAnswer } from '../../src/contract/service-provider.ts';
import { ApiError, call } from '../api/client.ts';
import { oauthClientQuery } from '../api/queries.ts';
import { Act } from '../parts/act.tsx';
import { Code, Copy } from '../parts/code.tsx';
import { errorOf, Refusal } from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Facts, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { ShownOnce } from '../parts/shown-once.tsx';
import { Ago } from '../parts/time.tsx';
import { showSpan } from '../parts/words.ts';

const scopes = [
  { value: 'scim.read', label: 'scim.read: read people by SCIM' },
  { value: 'scim.write', label: 'scim.write: change people by SCIM' },
  { value: 'admin.read', label: 'admin.read: what an auditor may' },
  { value: 'admin.operate', label: 'admin.operate: what an operator may' },
  { value: 'admin', label: 'admin: everything an administrator may' },
];

const personScopes = [
  { value: 'openid', label: 'openid: who signed in' },
  { value: 'profile', label: 'profile: name, user name, language' },
  { value: 'email', label: 'email: e-mail address' },
  { value: 'groups', label: 'groups: the groups they are in' },
  { value: 'offline_access', label: 'offline_access: also while they are away' },
];

const overlapHours = 24;

/** The fields that say themselves what is wrong with them. */
const shown = ['grants', 'redirectUris', 'postLogoutRedirectUris', 'scopes', 'authMethod', 'jwks', 'tokenSeconds'];

const addressesOf = (text: string) => text.split(/\s+/).filter((one) => one !== '');

/** How the application gets access tokens by OAuth 2.0. */
export function OAuthClient({ provider }: { provider: ServiceProviderAnswer }) {
  const query = useQuery(oauthClientQuery(provider.id));
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<OAuthClientMade>();
  return (
    <section className="stack tight" aria-label="OAuth client">
      <div className="row apart">
        <h2 className="card-title">OAuth client</h2>
        {query.data === null && (
          <For need="administer">
            <Button variant="default" leftSection={<Icon name="key" size={16} />} onClick={() => setMaking(true)}>
              Make an OAuth client
            </Button>
          </For>
        )}
      </div>
      {made?.clientSecret && (
        <ShownOnce
          says="The client secret."
          secret={made.clientSecret}
          name="client-secret"
          done={() => setMade(undefined)}
        />
      )}
      <Shown query={query} rows={3}>
        {(client) =>
          client ? (
            <Standing provider={provider} client={client} show={setMade} />
          ) : (
            <Empty icon="key" title="No OAuth client">
              With it the application gets tokens that end by themselves, and may have people sign in here.
            </Empty>
          )
        }
      </Shown>
      <Modal opened={isMaking} onClose={() => setMaking(false)} title="Make an OAuth client">
        <Make
          provider={provider}
          done={(client) => {
            setMade(client);
            setMaking(false);
          }}
        />
      </Modal>
    </section>
  );
}

function Standing(props: {
  provider: ServiceProviderAnswer;
  client: OAuthClientAnswer;
  show: (made: OAuthClientMade | undefined) => void;
}) {
  const { provider, client, show } = props;
  const place = `/service-providers/${provider.id}/oauth-client`;
  const [latest, before] = client.secrets;
  const sample = [
    `curl -u ${client.clientId}:SECRET -d grant_type=client_credentials \\`,
    `  -d 'scope=${client.scopes.filter((scope) => /^(scim|admin)/.test(scope)).join(' ')}' ${client.tokenEndpoint}`,
  ].join('\n');
  return (
    <>
      <Facts
        rows={[
          [
            'Client id',
            <span key="id" className="row wrap">
              <span className="mono">{client.clientId}</span>
              <Copy text={client.clientId} />
            </span>,
          ],
          [
            'Token endpoint',
            <span key="token" className="mono">
              {client.tokenEndpoint}
            </span>,
          ],
          ['Gets tokens by', client.grants.join(', ')],
          ['May', client.scopes.join(', ')],
          [
            'People sign in at',
            client.authorizationEndpoint && (
              <span key="authorize" className="mono">
                {client.authorizationEndpoint}
              </span>
            ),
          ],
          ['And are sent back to', client.redirectUris.join(', ')],
          [
            'They sign out at',
            client.endSessionEndpoint && (
              <span key="end-session" className="mono">
                {client.endSessionEndpoint}
              </span>
            ),
          ],
          ['And are sent back then to', client.postLogoutRedirectUris.join(', ')],
          ['Are asked first', client.authorizationEndpoint && (client.consent === 'ask' ? 'yes' : 'no')],
          ['Shows who it is by', client.authMethod],
          ['A token is good for', showSpan(client.tokenSeconds * 1_000)],
          [
            'Secret',
            latest && (
              <span key="made">
                made <Ago time={latest.createdAt} />
              </span>
            ),
          ],
          [
            'The secret before',
            before?.expiresAt && (
              <span key="ends">
                ends <Ago time={before.expiresAt} />
              </span>
            ),
          ],
        ]}
      />
      {latest && client.grants.includes('client_credentials') && (
        <div>
          <div className="row apart">
            <strong>A request for a token</strong>
            <Copy text={sample} />
          </div>
          <Code text={sample} label="A request for a token" />
        </div>
      )}
      <For need="administer">
        <div className="row wrap">
          {latest && (
            <Act
              word="Renew the secret"
              icon="retry"
              act={() => call<OAuthClientMade>('POST', `${place}/secret`, { body: { overlapHours } })}
              stale={['service-providers']}
              done={show}
              confirm={{
                title: `Give ${provider.name} a new secret?`,
                says: `The one it has now is good for ${overlapHours} hours more, so that it can change over.`,
              }}
            />
          )}
          <Act
            word="Remove the client"
            icon="trash"
            act={() => call('DELETE', place)}
            stale={['service-providers']}
            says={`The OAuth client of ${provider.name} is removed.`}
            done={() => show(undefined)}
            confirm={{
              title: `Remove the OAuth client of ${provider.name}?`,
              says: 'Its secret and all its tokens are refused, within two seconds everywhere.',
            }}
          />
        </div>
      </For>
    </>
  );
}

function Make({ provider, done }: { provider: ServiceProviderAnswer; done: (made: OAuthClientMade) => void }) {
  const client = useQueryClient();
  const [isOwn, setOwn] = useState(true);
  const [signsIn, setSignsIn] = useState(false);
  const [redirects, setRedirects] = useState('');
  const [ends, setEnds] = useState('');
  const [isAsked, setAsked] = useState(true);
  const [chosen, setChosen] = useState(['scim.read', 'scim.write']);
  const [authMethod, setAuthMethod] = useState('client_secret_basic');
  const [seconds, setSeconds] = useState<string | number>(3_600);
  const [keys, setKeys] = useState('');
  const make = useMutation({
    mutationFn: () => {
      const known = [...(isOwn ? scopes : []), ...(signsIn ? personScopes : [])].map(({ value }) => value);
      const body = {
        grants: [...(isOwn ? ['client_credentials'] : []), ...(signsIn ? ['authorization_code', 'refresh_token'] : [])],
        redirectUris: signsIn ? addressesOf(redirects) : [],
        postLogoutRedirectUris: signsIn ? addressesOf(ends) : [],
        consent: isAsked ? 'ask' : 'none',
        scopes: chosen.filter((scope) => known.includes(scope)),
        authMethod,
        tokenSeconds: Number(seconds),
        ...(authMethod === 'private_key_jwt' ? { jwks: readKeys(keys) } : {}),
      } as OAuthClientInput;
      return call<OAuthClientMade>('POST', `/service-providers/${provider.id}/oauth-client`, { body });
    },
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ['service-providers'] });
      done(made);
    },
  });
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate();
      }}
    >
      <Checkbox
        label="It calls by itself"
        description="Client credentials: what it does is done for this service provider."
        checked={isOwn}
        error={errorOf(make.error, 'grants')}
        onChange={(event) => setOwn(event.currentTarget.checked)}
      />
      <Checkbox
        label="People sign in to it here"
        description="Authorization code with PKCE, and refresh tokens."
        checked={signsIn}
        onChange={(event) => {
          setSignsIn(event.currentTarget.checked);
          if (event.currentTarget.checked) setChosen((all) => [...new Set([...all, 'openid', 'profile', 'email'])]);
        }}
      />
      {signsIn && (
        <>
          <Textarea
            label="Where they are sent back to"
            description="Whole addresses, one in a line."
            autosize
            minRows={2}
            spellCheck={false}
            value={redirects}
            error={errorOf(make.error, 'redirectUris')}
            onChange={(event) => setRedirects(event.currentTarget.value)}
          />
          <Textarea
            label="And after signing out"
            description="The same. It may be empty: then a page here says that they are signed out."
            autosize
            minRows={1}
            spellCheck={false}
            value={ends}
            error={errorOf(make.error, 'postLogoutRedirectUris')}
            onChange={(event) => setEnds(event.currentTarget.value)}
          />
          <Switch
            label="They are asked first"
            description="Off for an application of your own."
            checked={isAsked}
            onChange={(event) => setAsked(event.currentTarget.checked)}
          />
        </>
      )}
      <MultiSelect
        label="What it may do"
        data={[...(isOwn ? scopes : []), ...(signsIn ? personScopes : [])]}
        value={chosen}
        error={errorOf(make.error, 'scopes')}
        onChange={setChosen}
      />
      <NativeSelect
        label="How it shows who it is"
        data={[
          { value: 'client_secret_basic', label: 'a secret, by Basic' },
          { value: 'client_secret_post', label: 'a secret, in the form' },
          { value: 'private_key_jwt', label: 'a key of its own that it signs with' },
          { value: 'none', label: 'not at all: an app that keeps no secret' },
        ]}
        value={authMethod}
        error={errorOf(make.error, 'authMethod')}
        onChange={(event) => setAuthMethod(event.currentTarget.value)}
      />
      {authMethod === 'private_key_jwt' && (
        <Textarea
          label="Its public keys"
          description="A JWK set, as JSON."
          autosize
          minRows={4}
          maxRows={12}
          spellCheck={false}
          value={keys}
          error={errorOf(make.error, 'jwks')}
          onChange={(event) => setKeys(event.currentTarget.value)}
        />
      )}
      <NumberInput
        label="How long a token is good"
        description="In seconds, 60 to 86,400."
        value={seconds}
        error={errorOf(make.error, 'tokenSeconds')}
        onChange={setSeconds}
      />
      <Refusal error={make.error} fields={shown} />
      <div className="row" style={{ justifyContent: 'flex-end' }}>
        <Button type="submit" loading={make.isPending}>
          Make it
        </Button>
      </div>
    </form>
  );
}

function readKeys(text: string): OAuthClientInput['jwks'] {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError({ status: 400, detail: 'They are not JSON.', code: 'invalidValue', field: 'jwks' });
  }
}
