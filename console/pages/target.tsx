import { Progress } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { TargetStatus } from '../../src/contract/status.ts';
import type { SyncAnswer } from '../../src/contract/sync.ts';
import type { TestAnswer } from '../../src/contract/target.ts';
import { call } from '../api/client.ts';
import { accountsQuery, statusQuery, syncQuery, targetsQuery } from '../api/queries.ts';
import { Causes } from '../frame/causes.tsx';
import { Act } from '../parts/act.tsx';
import { healthOf, StateBar, toLookAt } from '../parts/health.tsx';
import { Card, Empty, Facts, Note, PageHead, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { lookOf, StateTag, stateOf } from '../parts/state.tsx';
import { SubjectLink } from '../parts/subject.tsx';
import { Pager, Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { plural, showCount, showSpan } from '../parts/words.ts';
import { PauseButton, TestSteps } from './connector.tsx';
import { RetryMany } from './retry-many.tsx';
import { type Span, Throughput } from './throughput.tsx';

/** One target: how it is, who is there, and a sync. */
export function TargetPage() {
  const { target: name } = useParams({ from: '/targets/$target' });
  const status = useQuery(statusQuery);
  const targets = useQuery(targetsQuery);
  const own = status.data?.targets.find((one) => one.name === name || String(one.id) === name);
  const full = targets.data?.items.find((one) => one.id === own?.id);
  const [tested, setTested] = useState<TestAnswer>();
  return (
    <>
      <PageHead
        title={own?.name ?? name}
        says={own && <StateTag state={healthOf(own)} />}
        above={['Identity Providers', '/identity-providers']}
        actions={
          full && (
            <>
              <For need="administer">
                <Act
                  word="Test connection"
                  icon="plug"
                  act={() => call<TestAnswer>('POST', `/targets/${full.id}/test`)}
                  stale={[]}
                  done={setTested}
                />
              </For>
              <For need="operate">
                <PauseButton target={full} />
              </For>
              <Link to="/identity-providers/$id" params={{ id: full.identityProvider.name }}>
                Its settings
              </Link>
            </>
          )
        }
      />
      <Shown query={status}>
        {() =>
          own ? (
            <div className="stack">
              {tested && (
                <Card title={tested.ok ? 'The connection works' : 'The connection does not work'}>
                  <TestSteps answer={tested} />
                </Card>
              )}
              <Causes targets={[own]} />
              {own.paused && (
                <Note tone="orange" icon="pause">
                  Held back by {own.paused.by}, <Ago time={own.paused.since} />. What happens meanwhile waits.
                </Note>
              )}
              <Standing target={own} />
              <Sync target={own} />
              <Deliveries target={own} />
              <Accounts target={own} />
            </div>
          ) : (
            <Card>
              <Empty icon="plug" title={`There is no target ${name}`}>
                It may have been removed.
              </Empty>
            </Card>
          )
        }
      </Shown>
    </>
  );
}

function Standing({ target }: { target: TargetStatus }) {
  return (
    <Card label="How it stands">
      <div className="stack">
        <StateBar target={target} />
        <Facts
          pairs
          rows={[
            ['Accounts', showCount(target.accounts)],
            ['Still to be delivered', showCount(target.pending)],
            [
              'Parked',
              `${showCount(toLookAt(target))} to look at${target.left > 0 ? `, ${showCount(target.left)} left parked` : ''}`,
            ],
            [
              'How fast',
              target.perSecond === null
                ? null
                : `${showCount(target.perSecond)} a second${target.secondsLeft === null ? '' : `, about ${showSpan(target.secondsLeft * 1_000)} left`}`,
            ],
            ['The longest waits', target.oldestPendingMs === null ? null : showSpan(target.oldestPendingMs)],
            [
              'Removals withheld',
              target.withheldRemovals > 0
                ? `${showCount(target.withheldRemovals)}: accounts that live on by a rule`
                : null,
            ],
            ['Bound by', target.boundBy.join(', ') || 'nobody: nobody new is sent'],
          ]}
        />
      </div>
    </Card>
  );
}

function Deliveries({ target }: { target: TargetStatus }) {
  const search = useSearch({ from: '/targets/$target' });
  const navigate = useNavigate();
  const show = (span: Span) =>
    void navigate({
      to: '/targets/$target',
      params: { target: target.name },
      search: { ...search, span: span === 'day' ? 'day' : undefined },
      resetScroll: false,
    });
  return <Throughput span={search.span ?? 'hour'} show={show} target={target.name} />;
}

function Sync({ target }: { target: TargetStatus }) {
  const query = useQuery(syncQuery(target.name));
  const stale = ['sync', 'status', 'accounts'];
  return (
    <Card title="Sync">
      <Shown query={query} rows={2}>
        {({ sync, missing }) => (
          <div className="stack">
            <span>
              {missing && missing.users + missing.groups > 0 ? (
                <>
                  {missing.more && 'At least '}
                  {plural(missing.users, 'user')} and {plural(missing.groups, 'group')} could be there and are not.{' '}
                </>
              ) : (
                missing && 'Everybody who may be there is. '
              )}
              A sync sends whoever may be there, and compares whoever is.
            </span>
            {sync && <SyncRow sync={sync} />}
            <For need="operate">
              <div className="row wrap">
                {sync?.state === 'running' ? (
                  <>
                    <Act
                      word="Pause"
                      icon="pause"
                      act={() => call('POST', `/targets/${target.id}/sync/pause`)}
                      stale={stale}
                    />
                    <Act
                      word="Cancel"
                      icon="close"
                      act={() => call('POST', `/targets/${target.id}/sync/cancel`)}
                      stale={stale}
                    />
                  </>
                ) : (
                  <Act
                    word={sync?.state === 'paused' ? 'Go on' : 'Start a sync'}
                    icon="play"
                    act={() => call('POST', `/targets/${target.id}/sync`)}
                    stale={stale}
                    confirm={{
                      title: `Sync ${target.name}?`,
                      says: `It looks at everybody in the directory${missing ? `, and sends ${plural(missing.users + missing.groups, 'new account')}` : ''}. It can be paused and cancelled.`,
                    }}
                  />
                )}
              </div>
            </For>
          </div>
        )}
      </Shown>
    </Card>
  );
}

function SyncRow({ sync }: { sync: NonNullable<SyncAnswer['sync']> }) {
  const part = sync.total === 0 ? 100 : Math.min(100, (sync.seen / sync.total) * 100);
  const words: Record<string, string> = {
    running: 'Under way',
    paused: 'Paused',
    cancelled: 'Cancelled',
    done: 'Done',
  };
  return (
    <div>
      <div className="row apart">
        <span>
          {words[sync.state] ?? sync.state}, asked for by {sync.actor} <Ago time={sync.startedAt} />: looked at{' '}
          {showCount(sync.seen)} of {showCount(sync.total)}, {showCount(sync.raised)} made due
        </span>
        {sync.state === 'running' && (
          <span className="muted num">
            {sync.perSecond !== null && `${showCount(sync.perSecond)}/s`}
            {sync.secondsLeft !== null && `, ${showSpan(sync.secondsLeft * 1_000)} left`}
          </span>
        )}
      </div>
      {sync.state !== 'done' && <Progress value={part} mt={6} aria-label="How far the sync is" />}
    </div>
  );
}

const states = ['parked', 'left', 'due', 'waiting', 'withheld', 'disabled', 'kept', 'unbound', 'done'];

/** Those that somebody left parked are parked too; each has its own list. */
function chosenBy(state: string | undefined): { state?: string | undefined; left?: string } {
  if (state === 'left') return { state: 'parked', left: 'true' };
  return state === 'parked' ? { state, left: 'false' } : { state };
}

function Accounts({ target }: { target: TargetStatus }) {
  const search = useSearch({ from: '/targets/$target' });
  const navigate = useNavigate();
  const { state, after } = search;
  const chosen = chosenBy(state);
  const query = useQuery(accountsQuery({ target: target.name, ...chosen, after }));
  const countOf = (one: string) =>
    one === 'parked' ? toLookAt(target) : one === 'left' ? target.left : (target.byState[one] ?? 0);
  const turn = (change: Partial<typeof search>) =>
    void navigate({
      to: '/targets/$target',
      params: { target: target.name },
      search: { ...search, after: undefined, ...change },
    });
  return (
    <Card
      title="Accounts"
      bare
      actions={
        state !== undefined && countOf(state) > 0 && state !== 'done' ? (
          <For need="operate">
            <RetryMany
              chosen={{ target: target.name, ...chosen }}
              count={countOf(state)}
              says={`Every account of ${target.name} that is ${lookOf(state).word}`}
            />
          </For>
        ) : undefined
      }
    >
      <nav className="row wrap card-body" aria-label="Accounts by state" style={{ paddingBottom: 8 }}>
        <FilterLink
          isOn={state === undefined}
          word="All"
          count={target.accounts}
          go={() => turn({ state: undefined })}
        />
        {states
          .filter((one) => countOf(one) > 0 || one === state)
          .map((one) => (
            <FilterLink
              key={one}
              isOn={state === one}
              word={lookOf(one).word}
              count={countOf(one)}
              go={() => turn({ state: one })}
            />
          ))}
      </nav>
      <Shown query={query}>
        {({ items, next }) =>
          items.length === 0 ? (
            <Empty icon="users" title={state ? `Nobody is ${lookOf(state).word} there` : 'Nobody is there yet'} />
          ) : (
            <>
              <Table
                label="Accounts"
                rows={items}
                keyOf={(row) => row.subject.id}
                columns={[
                  {
                    head: 'Who',
                    cell: (row) => (
                      <div className="clip">
                        <SubjectLink subject={row.subject} />
                      </div>
                    ),
                  },
                  { head: 'Kind', on: 'wide', cell: (row) => <span className="muted">{row.subject.kind}</span> },
                  { head: 'State', cell: (row) => <StateTag state={stateOf(row)} /> },
                  {
                    head: 'Why',
                    on: 'wide',
                    cell: (row) => (
                      <div className="clip" title={row.reason ?? ''}>
                        {row.reason}
                      </div>
                    ),
                  },
                  {
                    head: 'Walk',
                    right: true,
                    cell: (row) => (
                      <Link to="/accounts/$target/$subject" params={{ target: row.target, subject: row.subject.id }}>
                        why<span className="unseen">: the walk of {row.subject.name}</span>
                      </Link>
                    ),
                  },
                ]}
              />
              {(next !== null || after !== undefined) && (
                <div style={{ padding: '0 16px 12px' }}>
                  <Pager
                    says={`${items.length} on this page`}
                    back={after === undefined ? undefined : () => history.back()}
                    on={next === null ? undefined : () => turn({ after: next })}
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

export function FilterLink(props: { isOn: boolean; word: string; count?: number; go: () => void }) {
  return (
    <button type="button" className="chip" aria-pressed={props.isOn} onClick={props.go}>
      {props.word}
      {props.count !== undefined && <span className="num"> {showCount(props.count)}</span>}
    </button>
  );
}
