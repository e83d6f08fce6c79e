import { Button, Modal, MultiSelect, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ServiceProviderAnswer } from '../../src/contract/service-provider.ts';
import type { TokenAnswer, TokenListItem } from '../../src/contract/token.ts';
import { call } from '../api/client.ts';
import { tokensQuery } from '../api/queries.ts';
import { Act } from '../parts/act.tsx';
import { Code, Copy } from '../parts/code.tsx';
import { errorOf, Refusal } from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { Card, Empty, Facts, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { ShownOnce } from '../parts/shown-once.tsx';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { OAuthClient } from './oauth-client.tsx';

/** How an application comes in: its address, its tokens, and a request to copy. */
export function Access({ provider }: { provider: ServiceProviderAnswer }) {
  const address = `${location.origin}/scim2`;
  const sample = [
    provider.resident
      ? `curl -u NAME:PASSWORD -H 'content-type: application/scim+json' \\`
      : `curl -H "authorization: Bearer $TOKEN" -H 'content-type: application/scim+json' \\`,
    `  -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@acme.example"}' \\`,
    `  ${address}/Users`,
  ].join('\n');
  return (
    <Card title="Inbound access">
      <div className="stack">
        <Facts
          rows={[
            [
              'SCIM 2.0 address',
              <span key="address" className="row wrap">
                <span className="mono">{address}</span>
                <Copy text={address} />
              </span>,
            ],
            [
              'Signs in',
              provider.resident
                ? 'Operators by Basic, or an API token of the resident'
                : 'with an API token of its own, or with an access token that its OAuth client gets',
            ],
          ]}
        />
        <div>
          <div className="row apart">
            <strong>A request that adds somebody</strong>
            <Copy text={sample} />
          </div>
          <Code text={sample} label="A request that adds somebody" />
        </div>
        {!provider.resident && <OAuthClient provider={provider} />}
        <Tokens serviceProvider={provider} />
      </div>
    </Card>
  );
}

/** `serviceProvider` undefined: all tokens. */
export function Tokens({ serviceProvider }: { serviceProvider?: ServiceProviderAnswer }) {
  const tokens = useQuery(tokensQuery);
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<TokenAnswer>();
  const own = (all: readonly TokenListItem[]) =>
    serviceProvider ? all.filter((one) => one.serviceProvider === serviceProvider.name) : all;
  return (
    <div className="stack tight">
      <div className="row apart">
        <h2 className="card-title">API tokens</h2>
        <For need="administer">
          <Button variant="default" leftSection={<Icon name="key" size={16} />} onClick={() => setMaking(true)}>
            Make a token
          </Button>
        </For>
      </div>
      {made && (
        <ShownOnce
          says={
            <>
              The token <strong>{made.label}</strong>.
            </>
          }
          secret={made.token}
          name="token"
          done={() => setMade(undefined)}
        />
      )}
      <Shown query={tokens} rows={3}>
        {({ items }) =>
          own(items).length === 0 ? (
            <Empty icon="key" title="No token yet">
              A token lets an application call in its own name, until it is revoked.
            </Empty>
          ) : (
            <Table
              label="API tokens"
              rows={own(items)}
              keyOf={(row) => row.id}
              columns={[
                { head: 'For', cell: (row) => row.label },
                ...(serviceProvider
                  ? []
                  : [
                      {
                        head: 'Service provider',
                        on: 'wide' as const,
                        cell: (row: TokenListItem) => row.serviceProvider,
                      },
                    ]),
                { head: 'May', on: 'wide', cell: (row) => row.scopes.join(', ') },
                { head: 'Made', on: 'wide', cell: (row) => <Ago time={row.createdAt} /> },
                { head: 'Last used', cell: (row) => <Ago time={row.lastUsedAt} /> },
                {
                  head: 'Ends',
                  on: 'wide',
                  cell: (row) => (row.expiresAt ? <Ago time={row.expiresAt} /> : <span className="muted">never</span>),
                },
                {
                  head: 'Revoke',
                  right: true,
                  cell: (row) => (
                    <For need="administer">
                      <Act
                        word="Revoke"
                        variant="subtle"
                        act={() => call('DELETE', `/tokens/${row.id}`)}
                        stale={['tokens']}
                        says={`The token ${row.label} is revoked.`}
                        confirm={{
                          title: `Revoke ${row.label}?`,
                          says: 'Whoever calls with it is refused, within five seconds everywhere. It cannot be taken back.',
                        }}
                      />
                    </For>
                  ),
                },
              ]}
            />
          )
        }
      </Shown>
      <Modal opened={isMaking} onClose={() => setMaking(false)} title="Make a token">
        <MakeToken
          serviceProvider={serviceProvider}
          done={(token) => {
            setMade(token);
            setMaking(false);
          }}
        />
      </Modal>
    </div>
  );
}

function MakeToken(props: { serviceProvider: ServiceProviderAnswer | undefined; done: (token: TokenAnswer) => void }) {
  const client = useQueryClient();
  const [label, setLabel] = useState('');
  const [scopes, setScopes] = useState(['scim']);
  const make = useMutation({
    mutationFn: () => {
      const of = props.serviceProvider ? { serviceProvider: props.serviceProvider.id } : {};
      return call<TokenAnswer>('POST', '/tokens', { body: { label: label.trim(), scopes, ...of } });
    },
    onSuccess: async (token) => {
      await client.invalidateQueries({ queryKey: ['tokens'] });
      props.done(token);
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
      <TextInput
        label="What it is for"
        value={label}
        data-autofocus
        error={errorOf(make.error, 'label', 'What it is for')}
        onChange={(event) => setLabel(event.currentTarget.value)}
      />
      <MultiSelect
        label="What it may do"
        data={[
          { value: 'scim', label: 'scim: read and change people' },
          { value: 'admin', label: 'admin: everything an administrator may' },
        ]}
        value={scopes}
        error={errorOf(make.error, 'scopes', 'What it may do')}
        onChange={setScopes}
      />
      <Refusal error={make.error} fields={['label', 'scopes']} />
      <div className="row" style={{ justifyContent: 'flex-end' }}>
        <Button type="submit" loading={make.isPending}>
          Make it
        </Button>
      </div>
    </form>
  );
}
