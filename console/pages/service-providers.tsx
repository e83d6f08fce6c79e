import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { serviceProvidersQuery } from '../api/queries.ts';
import { Icon } from '../parts/icon.tsx';
import { PageHead, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { Table } from '../parts/table.tsx';

export function ServiceProvidersPage() {
  const providers = useQuery(serviceProvidersQuery);
  const navigate = useNavigate();
  return (
    <>
      <PageHead
        title="Service Providers"
        says="For whom changes are made, and where they go. The resident one is this server itself: the console, and SCIM by Basic."
        actions={
          <For need="administer">
            <Button
              leftSection={<Icon name="plus" size={16} />}
              onClick={() => navigate({ to: '/service-providers/add' })}
            >
              Add service provider
            </Button>
          </For>
        }
      />
      <Shown query={providers}>
        {({ items }) => (
          <Table
            label="Service providers"
            rows={items.toSorted((a, b) => Number(b.resident) - Number(a.resident))}
            keyOf={(row) => row.id}
            columns={[
              {
                head: 'Name',
                cell: (row) => (
                  <Link to="/service-providers/$id" params={{ id: row.name }}>
                    {row.resident ? 'Resident' : row.name}
                  </Link>
                ),
              },
              { head: 'Description', on: 'wide', cell: (row) => <div className="clip muted">{row.description}</div> },
              {
                head: 'Outbound provisioning',
                cell: (row) =>
                  row.bindings.length === 0 ? (
                    <span className="muted">none</span>
                  ) : (
                    row.bindings
                      .map(({ target, enabled }) => (enabled ? target : `${target} (switched off)`))
                      .join(', ')
                  ),
              },
            ]}
          />
        )}
      </Shown>
    </>
  );
}
