import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { identityProvidersQuery, targetsQuery } from '../api/queries.ts';
import { Icon } from '../parts/icon.tsx';
import { Card, Empty, PageHead, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { StateTag } from '../parts/state.tsx';
import { Table } from '../parts/table.tsx';

export function IdentityProvidersPage() {
  const providers = useQuery(identityProvidersQuery);
  const targets = useQuery(targetsQuery);
  const navigate = useNavigate();
  const add = (
    <For need="administer">
      <Button leftSection={<Icon name="plus" size={16} />} onClick={() => navigate({ to: '/identity-providers/add' })}>
        Add identity provider
      </Button>
    </For>
  );
  return (
    <>
      <PageHead
        title="Identity Providers"
        says="Trusted systems, and the connectors that send people there."
        actions={add}
      />
      <Shown query={providers}>
        {({ items }) =>
          items.length === 0 ? (
            <Card>
              <Empty icon="provider" title="No identity provider yet" action={add}>
                Add the system that people are to be sent to. It needs an address that takes SCIM, and a way to sign in.
              </Empty>
            </Card>
          ) : (
            <Table
              label="Identity providers"
              rows={items}
              keyOf={(row) => row.id}
              columns={[
                {
                  head: 'Name',
                  cell: (row) => (
                    <Link to="/identity-providers/$id" params={{ id: row.name }}>
                      {row.name}
                    </Link>
                  ),
                },
                { head: 'Display name', on: 'wide', cell: (row) => row.displayName },
                { head: 'Description', on: 'wide', cell: (row) => <div className="clip muted">{row.description}</div> },
                {
                  head: 'Connectors',
                  cell: (row) => {
                    const own = (targets.data?.items ?? []).filter((one) => one.identityProvider.id === row.id);
                    if (own.length === 0) return <span className="muted">none</span>;
                    return (
                      <span className="row wrap">
                        {own.map((one) => (
                          <Link key={one.id} to="/targets/$target" params={{ target: one.name }}>
                            {one.type}
                          </Link>
                        ))}
                      </span>
                    );
                  },
                },
                {
                  head: 'State',
                  cell: (row) => (row.enabled ? <span className="muted">enabled</span> : <StateTag state="off" />),
                },
              ]}
            />
          )
        }
      </Shown>
    </>
  );
}
