import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { OperatorAnswer, OperatorMade, OperatorRole } from '../../src/contract/session.ts';
import { call } from '../api/client.ts';
import { domainsQuery, operatorsQuery, sessionQuery, statusQuery } from '../api/queries.ts';
import { Act } from '../parts/act.tsx';
import { errorOf, Refusal } from '../parts/form.tsx';
import { Card, Facts, PageHead, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { ShownOnce } from '../parts/shown-once.tsx';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { plural, showSpan } from '../parts/words.ts';
import { Tokens } from './access.tsx';
import { SigningKeys } from './signing-keys.tsx';

export function SettingsPage() {
  return (
    <>
      <PageHead title="Settings" says="What concerns the whole server." />
      <div className="stack">
        <Operators />
        <Card label="API tokens">
          <Tokens />
        </Card>
        <SigningKeys />
        <Domains />
        <Limits />
        <Server />
      </div>
    </>
  );
}

const roles: { value: OperatorRole; label: string }[] = [
  { value: 'administrator', label: 'administrator: everything' },
  { value: 'operator', label: 'operator: reads, tries again, pauses, syncs' },
  { value: 'auditor', label: 'auditor: reads' },
  { value: 'service', label: 'service: calls SCIM by Basic, nothing else' },
];

function Operators() {
  const query = useQuery(operatorsQuery);
  const { data: session } = useQuery(sessionQuery);
  const [made, setMade] = useState<OperatorMade>();
  return (
    <Card title="Administrators and roles">
      <div className="stack">
        {made && (
          <ShownOnce
            says={
              <>
                The {made.role === 'service' ? '' : 'one-time '}password of <strong>{made.name}</strong>.
              </>
            }
            secret={made.password}
            name="password"
            done={() => setMade(undefined)}
          />
        )}
        <Shown query={query} rows={3}>
          {({ items }) => (
            <Table
              label="Administrators and roles"
              rows={items}
              keyOf={(row) => row.id}
              columns={[
                {
                  head: 'Name',
                  cell: (row) => (
                    <>
                      {row.name} {row.name === session?.name && <span className="muted">(you)</span>}
                    </>
                  ),
                },
                { head: 'Role', cell: (row) => <Role operator={row} isOwn={row.name === session?.name} /> },
                {
                  head: 'Password',
                  on: 'wide',
                  cell: (row) => <span className="muted">{row.mustChangePassword ? 'still to be chosen' : 'own'}</span>,
                },
                { head: 'Made', on: 'wide', cell: (row) => <Ago time={row.createdAt} /> },
                {
                  head: 'Actions',
                  right: true,
                  cell: (row) =>
                    row.name !== session?.name && (
                      <For need="administer">
                        <span className="row" style={{ justifyContent: 'flex-end' }}>
                          <Act
                            word="New password"
                            variant="subtle"
                            act={() => call<OperatorMade>('POST', `/operators/${row.id}/password`)}
                            stale={['operators']}
                            done={setMade}
                            confirm={{
                              title: `New password for ${row.name}?`,
                              says: 'The old one ends, and so do their sessions.',
                            }}
                          />
                          <Act
                            word="Remove"
                            variant="subtle"
                            act={() => call('DELETE', `/operators/${row.id}`)}
                            stale={['operators']}
                            says={`${row.name} is removed.`}
                            confirm={{
                              title: `Remove ${row.name}?`,
                              says: 'They are signed out, and may not come in again.',
                            }}
                          />
                        </span>
                      </For>
                    ),
                },
              ]}
            />
          )}
        </Shown>
        <For need="administer">
          <AddOperator done={setMade} />
        </For>
      </div>
    </Card>
  );
}

function Role({ operator, isOwn }: { operator: OperatorAnswer; isOwn: boolean }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (role: string) => call('PATCH', `/operators/${operator.id}`, { body: { role } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['operators'] }),
  });
  const { data: session } = useQuery(sessionQuery);
  if (isOwn || session?.role !== 'administrator') return <span>{operator.role}</span>;
  return (
    <NativeSelect
      size="xs"
      aria-label={`Role of ${operator.name}`}
      data={roles.map(({ value }) => value)}
      value={operator.role}
      error={change.error?.message}
      onChange={(event) => change.mutate(event.currentTarget.value)}
    />
  );
}

function AddOperator({ done }: { done: (made: OperatorMade) => void }) {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [role, setRole] = useState<string>('operator');
  const add = useMutation({
    mutationFn: () => call<OperatorMade>('POST', '/operators', { body: { name: name.trim(), role } }),
    onSuccess: async (made) => {
      setName('');
      done(made);
      await client.invalidateQueries({ queryKey: ['operators'] });
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <form onSubmit={send} className="row wrap" style={{ alignItems: 'flex-end' }}>
      <TextInput
        label="Name"
        value={name}
        error={errorOf(add.error, 'name', 'Name')}
        onChange={(event) => setName(event.currentTarget.value)}
        autoComplete="off"
      />
      <NativeSelect label="Role" data={roles} value={role} onChange={(event) => setRole(event.currentTarget.value)} />
      <Button type="submit" size="sm" variant="default" loading={add.isPending} disabled={name.trim() === ''}>
        Add
      </Button>
      <Refusal error={add.error} fields={['name']} />
    </form>
  );
}

function Domains() {
  const query = useQuery(domainsQuery);
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const add = useMutation({
    mutationFn: () =>
      call('POST', '/user-store-domains', { body: { name: name.trim(), description: description.trim() || null } }),
    onSuccess: async () => {
      setName('');
      setDescription('');
      await client.invalidateQueries({ queryKey: ['user-store-domains'] });
    },
  });
  return (
    <Card title="User store domains">
      <div className="stack">
        <Shown query={query} rows={2}>
          {({ items }) => (
            <Table
              label="User store domains"
              rows={items}
              keyOf={(row) => row.name}
              columns={[
                { head: 'Name', cell: (row) => row.name },
                { head: 'Description', cell: (row) => <span className="muted">{row.description}</span> },
              ]}
            />
          )}
        </Shown>
        <For need="administer">
          <form
            className="row wrap"
            style={{ alignItems: 'flex-end' }}
            onSubmit={(event) => {
              event.preventDefault();
              add.mutate();
            }}
          >
            <TextInput
              label="Name"
              value={name}
              error={errorOf(add.error, 'name', 'Name')}
              onChange={(event) => setName(event.currentTarget.value)}
              autoComplete="off"
            />
            <TextInput
              label="Description"
              value={description}
              onChange={(event) => setDescription(event.currentTarget.value)}
              autoComplete="off"
            />
            <Button type="submit" size="sm" variant="default" loading={add.isPending} disabled={name.trim() === ''}>
              Add domain
            </Button>
            <Refusal error={add.error} fields={['name']} />
          </form>
        </For>
      </div>
    </Card>
  );
}

const megabytes = (bytes: number) => `${Math.round(bytes / 104_857.6) / 10} MB`;

/** They are set where the server is started, and shown here. */
function Limits() {
  const query = useQuery(statusQuery);
  return (
    <Card title="Limits">
      <Shown query={query} rows={4}>
        {({ server: { limits } }) => (
          <Facts
            rows={[
              ['A request', `at most ${megabytes(limits.bodyBytes)}`],
              [
                'A SCIM bulk request',
                `at most ${plural(limits.bulkOperations, 'operation')} and ${megabytes(limits.bulkBytes)}`,
              ],
              ['A search without an index', `ends after ${showSpan(limits.searchSeconds * 1_000)}`],
              ['A request with blocking targets', `waits ${showSpan(limits.blockingSeconds * 1_000)} at most`],
              ['A password on its way', `is erased after ${plural(limits.passwordDays, 'day')}`],
              ['What is only forwarded', `is erased after ${plural(limits.forwardedDays, 'day')}`],
            ]}
          />
        )}
      </Shown>
    </Card>
  );
}

function Server() {
  const query = useQuery(statusQuery);
  const keeps = (days: number, oldest: string | null) => (
    <>
      {days === 0 ? 'for ever' : plural(days, 'day')}
      {oldest && (
        <span className="muted">
          , the oldest is from <Ago time={oldest} />
        </span>
      )}
    </>
  );
  return (
    <Card title="Server">
      <Shown query={query} rows={4}>
        {({ version, uptime, database, kept, server }) => (
          <Facts
            rows={[
              ['Version', version],
              ['Up', showSpan(uptime * 1_000)],
              ['Database', `${database.kind === 'sqlite' ? 'SQLite' : 'PostgreSQL'}, ${database.place}`],
              ['Attempts are kept', keeps(kept.attemptsDays, kept.oldestAttempt)],
              ['Changes are kept', keeps(kept.changesDays, kept.oldestChange)],
              [
                'Sealing key',
                server.sealingKey === 'environment'
                  ? 'from the environment (PURVEY_KEY); it fits what is sealed'
                  : 'the file key in the data folder; it fits what is sealed',
              ],
              ['Speaks', server.tls ? 'TLS' : 'plain HTTP'],
              ['Is reached at', server.publicUrl],
              ['Time zone of rules', server.timeZone],
              [
                'Where no rule applies',
                server.whenNoRule === 'withhold' ? 'operations are withheld' : 'operations go out',
              ],
            ]}
          />
        )}
      </Shown>
    </Card>
  );
}
