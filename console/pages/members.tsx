import { Button, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { SubjectRef } from '../../src/contract/page.ts';
import type { SubjectDetail } from '../../src/contract/subject.ts';
import { call, step } from '../api/client.ts';
import { membersQuery, subjectsQuery } from '../api/queries.ts';
import { Act } from '../parts/act.tsx';
import { Icon } from '../parts/icon.tsx';
import { Card, Empty, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { SubjectLink } from '../parts/subject.tsx';
import { Pager, Table } from '../parts/table.tsx';

const stale = ['members', 'subject', 'changes', 'status', 'accounts'];

/** Members of a group, page by page however many there are. */
export function Members({ group }: { group: SubjectDetail }) {
  // The cursors that led here; the last one is where this page begins.
  const [trail, setTrail] = useState<string[]>([]);
  const query = useQuery(membersQuery(group.id, trail.at(-1)));
  const change = (body: { add?: string[]; remove?: string[] }) => call('PATCH', `/groups/${step(group.id)}`, { body });
  return (
    <Card title="Members" bare>
      <For need="administer">
        <AddMember group={group} change={change} />
      </For>
      <Shown query={query} rows={3}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty icon="users" title="Nobody is in it" />
          ) : (
            <>
              <Table
                key={trail.length}
                label="Members"
                rows={items}
                keyOf={(row) => row.id}
                columns={[
                  { head: 'Name', cell: (row) => <SubjectLink subject={row} /> },
                  { head: 'Kind', on: 'wide', cell: (row) => <span className="muted">{row.kind}</span> },
                  {
                    head: 'Take out',
                    right: true,
                    cell: (row) => (
                      <For need="administer">
                        <Act
                          word="Take out"
                          about={row.name}
                          variant="subtle"
                          act={() => change({ remove: [row.id] })}
                          stale={stale}
                          says={`${row.name} is no member of ${group.name} any more.`}
                        />
                      </For>
                    ),
                  },
                ]}
              />
              {(next !== null || trail.length > 0) && (
                <div style={{ padding: '0 16px 12px' }}>
                  <Pager
                    says={`${items.length} on this page`}
                    back={trail.length > 0 ? () => setTrail((all) => all.slice(0, -1)) : undefined}
                    on={next === null ? undefined : () => setTrail((all) => [...all, next])}
                  />
                </div>
              )}
            </>
          )
        }
      </Shown>
    </Card>
  );
}

function AddMember(props: { group: SubjectDetail; change: (body: { add: string[] }) => Promise<unknown> }) {
  const { group, change } = props;
  const [text, setText] = useState('');
  const [slow] = useDebouncedValue(text.trim(), 200);
  const query = { name: slow, startIndex: 1, limit: 5 };
  const found = useQuery({ ...subjectsQuery('user', query), enabled: slow !== '' });
  const shown: SubjectRef[] = slow === '' ? [] : (found.data?.items ?? []).map((one) => ({ ...one, life: 'live' }));
  return (
    <div className="card-body" style={{ paddingBottom: 8 }}>
      <TextInput
        aria-label="Add a member: the beginning of a name"
        placeholder="Add a member: the beginning of a name"
        leftSection={<Icon name="plus" size={16} />}
        style={{ maxWidth: 360 }}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {shown.map((one) => (
        <div key={one.id} className="row" style={{ padding: '4px 0' }}>
          <span className="grow clip">{one.name}</span>
          <Act
            word="Add"
            act={() => change({ add: [one.id] })}
            stale={stale}
            says={`${one.name} is a member of ${group.name} now.`}
            done={() => setText('')}
          />
        </div>
      ))}
      {slow !== '' && found.data && shown.length === 0 && (
        <Button variant="transparent" disabled>
          Nobody of that name
        </Button>
      )}
    </div>
  );
}
