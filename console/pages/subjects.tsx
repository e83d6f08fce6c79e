import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { SubjectAnswer } from '../../src/contract/subject.ts';
import { domainsQuery, type Kind, placeOf, subjectsQuery } from '../api/queries.ts';
import { Icon } from '../parts/icon.tsx';
import { Card, Empty, PageHead, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { StateTag } from '../parts/state.tsx';
import { nameFilter } from '../parts/subject.tsx';
import { type Column, Pager, Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { quote, showCount } from '../parts/words.ts';

const perPage = 50;

export const UsersPage = () => <SubjectsPage kind="user" />;
export const GroupsPage = () => <SubjectsPage kind="group" />;

function SubjectsPage({ kind }: { kind: Kind }) {
  const place = placeOf(kind);
  const to = kind === 'user' ? '/users' : '/groups';
  const search = useSearch({ from: to });
  const navigate = useNavigate();
  const { q = '', domain, filter, from = 1 } = search;
  const isNameAlone = !domain && !filter;
  const parts = [nameFilter(kind, q), domain && domainFilter(kind, domain), filter].filter(Boolean);
  const asked = parts.length > 1 ? parts.map((one) => `(${one})`).join(' and ') : parts[0];
  // In the order of names, by their index, whoever else is there.
  const chosen = isNameAlone ? { name: q } : { filter: asked || undefined };
  const query = useQuery(subjectsQuery(kind, { ...chosen, startIndex: Math.max(from, 1), limit: perPage }));
  const turn = (change: Partial<typeof search>) =>
    void navigate({ to, search: { ...search, from: undefined, ...change }, replace: true });
  const isAsked = asked !== undefined && asked !== '';
  const add = (
    <For need="administer">
      <Button
        leftSection={<Icon name="plus" size={16} />}
        onClick={() => navigate({ to: `${to}/add` as '/users/add' })}
      >
        Add {kind}
      </Button>
    </For>
  );
  return (
    <>
      <PageHead
        title={kind === 'user' ? 'Users' : 'Groups'}
        says={query.data ? `${showTotal(query.data)} ${isAsked ? 'found' : `in the directory`}` : 'The directory'}
        actions={add}
      />
      <Tools key={place} kind={kind} q={q} domain={domain} filter={filter} turn={turn} />
      <Shown query={query}>
        {({ items, total, more, startIndex }) =>
          items.length === 0 ? (
            <Card>
              {isAsked ? (
                <Empty
                  icon="search"
                  title={`No ${kind} is like that`}
                  action={
                    <Button
                      variant="default"
                      onClick={() => turn({ q: undefined, filter: undefined, domain: undefined })}
                    >
                      Show all
                    </Button>
                  }
                >
                  The search is for the beginning of a name.
                </Empty>
              ) : (
                <Empty icon={kind === 'user' ? 'users' : 'groups'} title={`No ${kind} yet`} action={add}>
                  They come in here, or through SCIM.
                </Empty>
              )}
            </Card>
          ) : (
            <>
              <Table
                key={startIndex}
                label={place}
                rows={items}
                keyOf={(row) => row.id}
                columns={kind === 'user' ? userColumns : groupColumns}
              />
              <Pager
                says={`${showCount(startIndex)}–${showCount(startIndex + items.length - 1)} of ${showTotal({ total, more })}`}
                back={startIndex > 1 ? () => turn({ from: Math.max(1, startIndex - perPage) }) : undefined}
                on={startIndex + items.length <= total || more ? () => turn({ from: startIndex + perPage }) : undefined}
              />
            </>
          )
        }
      </Shown>
    </>
  );
}

const showTotal = ({ total, more }: { total: number; more: boolean }) =>
  more ? `more than ${showCount(total)}` : showCount(total);

/** Names outside PRIMARY are written with their domain. */
function domainFilter(kind: Kind, domain: string): string {
  const attribute = kind === 'user' ? 'userName' : 'displayName';
  return `${attribute} sw ${quote(`${domain}/`)}`;
}

function Tools(props: {
  kind: Kind;
  q: string;
  domain: string | undefined;
  filter: string | undefined;
  turn: (change: { q?: string | undefined; domain?: string | undefined; filter?: string | undefined }) => void;
}) {
  const { kind, turn } = props;
  const [q, setQ] = useState(props.q);
  const [filter, setFilter] = useState(props.filter ?? '');
  const [isDetailed, setDetailed] = useState(props.filter !== undefined);
  const domains = useQuery(domainsQuery);
  const others = (domains.data?.items ?? []).filter(({ name }) => name !== 'PRIMARY');
  const slowly = useDebouncedCallback((text: string) => turn({ q: text || undefined }), 200);
  return (
    <div className="tools">
      <TextInput
        aria-label={
          kind === 'user'
            ? 'Search by the beginning of a username or display name'
            : 'Search by the beginning of a name'
        }
        placeholder={kind === 'user' ? 'Username or display name' : 'Name'}
        leftSection={<Icon name="search" size={16} />}
        style={{ width: 300, maxWidth: '100%' }}
        value={q}
        onChange={(event) => {
          setQ(event.currentTarget.value);
          slowly(event.currentTarget.value.trim());
        }}
      />
      {others.length > 0 && (
        <NativeSelect
          aria-label="User store domain"
          data={[{ value: '', label: 'All domains' }, ...others.map(({ name }) => name)]}
          value={props.domain ?? ''}
          onChange={(event) => turn({ domain: event.currentTarget.value || undefined })}
        />
      )}
      {isDetailed ? (
        <form
          className="row grow"
          onSubmit={(event) => {
            event.preventDefault();
            turn({ filter: filter.trim() || undefined });
          }}
        >
          <TextInput
            className="grow mono"
            aria-label="SCIM filter"
            placeholder='title co "Engineer" and active eq true'
            value={filter}
            spellCheck={false}
            onChange={(event) => setFilter(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" size="sm">
            Filter
          </Button>
        </form>
      ) : (
        <Button variant="subtle" size="sm" onClick={() => setDetailed(true)}>
          SCIM filter
        </Button>
      )}
    </div>
  );
}

const updated: Column<SubjectAnswer> = {
  head: 'Updated',
  on: 'wide',
  right: true,
  cell: (row) => <Ago time={row.modifiedAt} />,
};
const domainOf: Column<SubjectAnswer> = {
  head: 'Domain',
  on: 'wide',
  cell: (row) => <span className="muted">{row.domain}</span>,
};

const userColumns: readonly Column<SubjectAnswer>[] = [
  {
    head: 'Username',
    cell: (row) => (
      <div className="clip">
        <Link to="/users/$id" params={{ id: row.id }}>
          {row.name}
        </Link>
      </div>
    ),
  },
  { head: 'Display name', cell: (row) => <div className="clip">{row.displayName}</div> },
  domainOf,
  {
    head: 'State',
    cell: (row) => (row.active ? <span className="muted">active</span> : <StateTag state="disabled" />),
  },
  updated,
];

const groupColumns: readonly Column<SubjectAnswer>[] = [
  {
    head: 'Name',
    cell: (row) => (
      <div className="clip">
        <Link to="/groups/$id" params={{ id: row.id }}>
          {row.name}
        </Link>
      </div>
    ),
  },
  domainOf,
  updated,
];
