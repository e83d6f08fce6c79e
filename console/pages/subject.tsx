import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import type { SubjectDetail } from '../../src/contract/subject.ts';
import { call, step } from '../api/client.ts';
import { changesQuery, type Kind, placeOf, subjectQuery } from '../api/queries.ts';
import { Act } from '../parts/act.tsx';
import { Icon } from '../parts/icon.tsx';
import { Card, Empty, Facts, Note, PageHead, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { StateTag, stateOf } from '../parts/state.tsx';
import { SubjectLink } from '../parts/subject.tsx';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { doorWord, plural } from '../parts/words.ts';
import { flatten } from './attributes.tsx';
import { Members } from './members.tsx';
import { UserLinks } from './user-links.tsx';

export function UserPage() {
  const { id } = useParams({ from: '/users/$id' });
  return <SubjectPage kind="user" id={id} />;
}

export function GroupPage() {
  const { id } = useParams({ from: '/groups/$id' });
  return <SubjectPage kind="group" id={id} />;
}

function SubjectPage({ kind, id }: { kind: Kind; id: string }) {
  const query = useQuery(subjectQuery(kind, id));
  const { data } = query;
  const title = kind === 'user' ? (data?.displayName ?? data?.name) : data?.name;
  return (
    <>
      <PageHead
        title={title ?? (kind === 'user' ? 'User' : 'Group')}
        says={data && (kind === 'user' ? data.name : `Group in ${data.domain}`)}
        above={kind === 'user' ? ['Users', '/users'] : ['Groups', '/groups']}
        actions={data && <Actions subject={data} />}
      />
      <Shown query={query}>
        {(subject) => (
          <div className="stack">
            {subject.lockedUntil !== null && (
              <Note tone="orange" icon="warning">
                Too many wrong passwords: {subject.name} cannot sign in to applications; that ends{' '}
                <Ago time={subject.lockedUntil} />.
              </Note>
            )}
            <Accounts subject={subject} />
            {kind === 'group' && <Members group={subject} />}
            <Card title="Attributes">
              <Facts
                pairs
                rows={[
                  ...flatten(subject.attributes),
                  ['User store domain', subject.domain],
                  [
                    'Id',
                    <span key="id" className="mono">
                      {subject.id}
                    </span>,
                  ],
                  ['Made', <Ago key="made" time={subject.createdAt} />],
                  ['Updated', <Ago key="updated" time={subject.modifiedAt} />],
                ]}
              />
            </Card>
            <Card title="Groups">
              {subject.groups.length === 0 ? (
                <span className="muted">In no group.</span>
              ) : (
                <div className="row wrap">
                  {subject.groups.map((group) => (
                    <SubjectLink key={group.id} subject={group} />
                  ))}
                </div>
              )}
            </Card>
            {kind === 'user' && subject.life === 'live' && <UserLinks user={subject} />}
            <Changes kind={kind} id={subject.id} />
          </div>
        )}
      </Shown>
    </>
  );
}

function Actions({ subject }: { subject: SubjectDetail }) {
  const navigate = useNavigate();
  const { kind, id, name, active, accounts, lockedUntil } = subject;
  const path = `/${placeOf(kind)}/${step(id)}`;
  const stale = ['subject', 'subjects', 'changes', 'status', 'accounts', 'account'];
  const there = accounts.filter((one) => one.remoteId !== null);
  return (
    <For need="administer">
      <Button
        variant="default"
        onClick={() => navigate({ to: kind === 'user' ? '/users/$id/edit' : '/groups/$id/edit', params: { id } })}
      >
        Edit
      </Button>
      {kind === 'user' && (
        <>
          {lockedUntil !== null && (
            <Act
              word="Unlock"
              act={() => call('POST', `${path}/unlock`)}
              stale={stale}
              says={`${name} may sign in again.`}
            />
          )}
          <Act
            word={active ? 'Disable' : 'Enable'}
            act={() => call('PATCH', path, { body: { active: !active } })}
            stale={stale}
            says={`${name} is ${active ? 'disabled' : 'enabled'}.`}
          />
        </>
      )}
      <Act
        word="Remove"
        icon="trash"
        act={() => call('DELETE', path)}
        stale={stale}
        says={`${name} is removed.`}
        done={() => void navigate({ to: kind === 'user' ? '/users' : '/groups' })}
        confirm={{
          title: `Remove ${name}?`,
          says:
            there.length === 0
              ? 'It is at no target.'
              : `What becomes of ${plural(there.length, 'account')} (${there.map((one) => one.target).join(', ')}) is decided by the policy of each target.`,
        }}
      />
    </For>
  );
}

/** Where this person stands, everywhere; each leads to the walk. */
function Accounts({ subject }: { subject: SubjectDetail }) {
  return (
    <Card title="Accounts" bare>
      {subject.accounts.length === 0 ? (
        <Empty icon="plug" title="At no target">
          No service provider that spoke for {subject.name} is bound to a target, or no target takes{' '}
          {subject.kind === 'user' ? 'this person' : 'this group'}.{' '}
          <Link to="/service-providers">Service providers</Link> say who goes where.
        </Empty>
      ) : (
        <Table
          label="Accounts"
          rows={subject.accounts}
          keyOf={(row) => row.target}
          columns={[
            {
              head: 'Target',
              cell: (row) => (
                <Link to="/accounts/$target/$subject" params={{ target: row.target, subject: subject.id }}>
                  {row.target}
                </Link>
              ),
            },
            { head: 'State', cell: (row) => <StateTag state={stateOf(row)} /> },
            {
              head: 'Reason',
              cell: (row) => (
                <div className="clip" title={row.reason ?? ''}>
                  {row.reason ?? <span className="muted">–</span>}
                </div>
              ),
            },
            { head: 'Remote id', on: 'wide', cell: (row) => <div className="mono clip muted">{row.remoteId}</div> },
            {
              head: 'The walk',
              right: true,
              cell: (row) => (
                <Link
                  to="/accounts/$target/$subject"
                  params={{ target: row.target, subject: subject.id }}
                  className="row"
                  style={{ justifyContent: 'flex-end' }}
                >
                  why<span className="unseen">: the walk to {row.target}</span> <Icon name="chevron" size={14} />
                </Link>
              ),
            },
          ]}
        />
      )}
    </Card>
  );
}

function Changes({ kind, id }: { kind: Kind; id: string }) {
  const query = useQuery(changesQuery({ subject: id, limit: 20 }));
  return (
    <Card
      title="Changes"
      actions={
        <Link to="/changes" search={{ after: undefined, subject: id }}>
          All
        </Link>
      }
      bare
    >
      <Shown query={query} rows={3}>
        {({ items, gone }) => (
          <>
            <Table
              label="Changes"
              rows={items.toReversed()}
              keyOf={(row) => row.seq}
              columns={[
                { head: 'Number', on: 'wide', cell: (row) => <span className="num">{row.seq}</span> },
                {
                  head: 'What',
                  cell: (row) =>
                    row.other ? (
                      <>
                        member <SubjectLink subject={row.other} />
                      </>
                    ) : (
                      <span className="muted">{kind === 'user' ? 'attributes' : 'the group itself'}</span>
                    ),
                },
                { head: 'By', cell: (row) => <div className="clip">{row.actor}</div> },
                { head: 'Through', on: 'wide', cell: (row) => <span className="muted">{doorWord(row.door)}</span> },
                { head: 'When', right: true, cell: (row) => <Ago time={row.at} /> },
              ]}
            />
            {gone && (
              <p className="muted card-body" style={{ margin: 0 }}>
                {gone}
              </p>
            )}
          </>
        )}
      </Shown>
    </Card>
  );
}
