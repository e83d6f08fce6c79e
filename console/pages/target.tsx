import { Progress } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { TargetStatus } from '../../src/contract/status.ts';
import type { SyncAnswer } from '../../src/contract/sync.ts';
import type { TestAnswer } from '../../src/contract/target.ts';
import { call } from '../api/client.ts';
import { causesQuery, statusQuery, syncQuery, targetsQuery } from '../api/queries.ts';
import { Causes } from '../frame/causes.tsx';
import { Act } from '../parts/act.tsx';
import { healthOf, StateBar, toLookAt } from '../parts/health.tsx';
import { Card, Empty, Facts, Note, PageHead, Shown, together } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { StateTag } from '../parts/state.tsx';
import { Ago } from '../parts/time.tsx';
import { plural, showCount, showSpan } from '../parts/words.ts';
import { PauseButton, TestSteps } from './connector.tsx';
import { TargetAccounts } from './target-accounts.tsx';
import { type Span, Throughput } from './throughput.tsx';
import { Troubles } from './troubles.tsx';

/** One target: how it is, who is there, and a sync. */
export function TargetPage() {
  const { target: name } = useParams({ from: '/targets/$target' });
  const status = useQuery(statusQuery);
  const targets = useQuery(targetsQuery);
  const all = together(status, targets, useQuery(causesQuery), useQuery(syncQuery(name)));
  const own = all.data?.targets.find((one) => one.name === name || String(one.id) === name);
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
                Connector settings
              </Link>
            </>
          )
        }
      />
      <Shown query={all} rows={16}>
        {() =>
          own ? (
            <div className="stack">
              {tested && (
                <Card title={tested.ok ? 'The connection works' : 'The connection does not work'}>
                  <TestSteps answer={tested} />
                </Card>
              )}
              <Causes targets={[own]} isAlone />
              <Troubles target={own.name} />
              {own.paused && (
                <Note tone="orange" icon="pause">
                  Held back by {own.paused.by}, <Ago time={own.paused.since} />. What happens meanwhile waits.
                </Note>
              )}
              <Standing target={own} />
              <Sync target={own} />
              <Deliveries target={own} />
              <TargetAccounts target={own} />
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
