import { Button, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { OAuthClientAnswer, OAuthClientMade } from '../../src/contract/oauth-client.ts';
import type { ServiceProviderAnswer } from '../../src/contract/service-provider.ts';
import { call } from '../api/client.ts';
import { oauthClientQuery } from '../api/queries.ts';
import { Act, useSay } from '../parts/act.tsx';
import { Code, Copy } from '../parts/code.tsx';
import { Icon } from '../parts/icon.tsx';
import { Empty, Facts, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { ShownOnce } from '../parts/shown-once.tsx';
import { Ago } from '../parts/time.tsx';
import { showSpan } from '../parts/words.ts';
import { OAuthClientForm } from './oauth-client-form.tsx';

const overlapHours = 24;

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
        <OAuthClientForm<OAuthClientMade>
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
  const [isChanging, setChanging] = useState(false);
  const say = useSay();
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
        <Modal opened={isChanging} onClose={() => setChanging(false)} title={`The OAuth client of ${provider.name}`}>
          <OAuthClientForm
            provider={provider}
            before={client}
            done={() => {
              setChanging(false);
              say(`The OAuth client of ${provider.name} is updated.`);
            }}
          />
        </Modal>
        <div className="row wrap">
          <Button
            variant="default"
            leftSection={<Icon name="settings" size={15} />}
            aria-label="Change the client"
            onClick={() => setChanging(true)}
          >
            Change
          </Button>
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
