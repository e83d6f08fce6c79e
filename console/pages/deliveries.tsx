import { NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { call, step } from '../api/client.ts';
import { attemptQuery, attemptsQuery, targetsQuery } from '../api/queries.ts';
import { Act } from '../parts/act.tsx';
import { Icon } from '../parts/icon.tsx';
import { Card, Facts, PageHead, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { OutcomeTag, outcomeNames } from '../parts/state.tsx';
import { SubjectLink } from '../parts/subject.tsx';
import { Ago } from '../parts/time.tsx';
import { showSpan } from '../parts/words.ts';
import { DeliveriesList } from './deliveries-list.tsx';
import { Exchanges } from './exchange.tsx';
import { describe } from './walk.tsx';

const statuses = [
  '200',
  '201',
  '204',
  '400',
  '401',
  '403',
  '404',
  '409',
  '412',
  '422',
  '429',
  '500',
  '502',
  '503',
  '504',
];

/** Every attempt, the latest first. */
export function DeliveriesPage() {
  const search = useSearch({ from: '/deliveries' });
  const navigate = useNavigate();
  const query = useQuery(attemptsQuery(search));
  const targets = useQuery(targetsQuery);
  const [text, setText] = useState(search.text ?? '');
  const turn = (change: Partial<typeof search>) =>
    void navigate({ to: '/deliveries', search: { ...search, after: undefined, ...change } });
  const slowly = useDebouncedCallback((value: string) => turn({ text: value.trim() || undefined }), 300);
  const isAsked = Boolean(search.target || search.outcome || search.text || search.status || search.subject);
  return (
    <>
      <PageHead title="Deliveries" says="Every attempt at a target, the latest first." />
      <div className="tools">
        <TextInput
          aria-label="Search in what was said"
          placeholder="Part of a reason"
          leftSection={<Icon name="search" size={16} />}
          style={{ width: 260, maxWidth: '100%' }}
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            slowly(event.currentTarget.value);
          }}
        />
        <NativeSelect
          aria-label="What the target answered"
          data={[{ value: '', label: 'Any answer' }, ...statuses]}
          value={search.status ?? ''}
          onChange={(event) => turn({ status: event.currentTarget.value || undefined })}
        />
        <NativeSelect
          aria-label="Target"
          data={[{ value: '', label: 'All targets' }, ...(targets.data?.items ?? []).map(({ name }) => name)]}
          value={search.target ?? ''}
          onChange={(event) => turn({ target: event.currentTarget.value || undefined })}
        />
        <NativeSelect
          aria-label="Outcome"
          data={[{ value: '', label: 'All outcomes' }, ...outcomeNames]}
          value={search.outcome ?? ''}
          onChange={(event) => turn({ outcome: event.currentTarget.value || undefined })}
        />
        {search.subject && (
          <button type="button" className="chip" onClick={() => turn({ subject: undefined })}>
            one account only ×<span className="unseen">, show all</span>
          </button>
        )}
      </div>
      <Shown query={query}>
        {(page) => (
          <DeliveriesList
            key={search.after ?? ''}
            page={page}
            isAsked={isAsked}
            back={search.after === undefined ? undefined : () => history.back()}
            on={(after) => turn({ after })}
          />
        )}
      </Shown>
    </>
  );
}

export function DeliveryPage() {
  const { id } = useParams({ from: '/deliveries/$id' });
  const query = useQuery(attemptQuery(Number(id)));
  const { data } = query;
  return (
    <>
      <PageHead
        title={`Attempt ${id}`}
        says={data && <OutcomeTag outcome={data.outcome} />}
        above={['Deliveries', '/deliveries']}
        actions={
          data && (
            <For need="operate">
              <Act
                word="Again now"
                icon="retry"
                act={() => call('POST', `/accounts/${step(data.target)}/${step(data.subject.id)}/retry`)}
                stale={['account', 'accounts', 'status', 'attempts']}
                says={`${data.subject.name} is tried again at ${data.target} now.`}
              />
            </For>
          )
        }
      />
      <Shown query={query}>
        {(attempt) => (
          <div className="stack">
            <Card label="The attempt">
              <Facts
                rows={[
                  ['What', describe(attempt)],
                  ['Who', <SubjectLink key="who" subject={attempt.subject} />],
                  [
                    'Account',
                    <Link
                      key="walk"
                      to="/accounts/$target/$subject"
                      params={{ target: attempt.target, subject: attempt.subject.id }}
                    >
                      The walk to {attempt.target}
                    </Link>,
                  ],
                  ['Rule', attempt.rule],
                  ['Began', <Ago key="began" time={attempt.startedAt} />],
                  [
                    'Took',
                    attempt.endedAt === null
                      ? 'not ended, or its process did first'
                      : showSpan(Date.parse(attempt.endedAt) - Date.parse(attempt.startedAt)),
                  ],
                ]}
              />
            </Card>
            <Card title="What was said">
              <Exchanges exchanges={attempt.exchanges} />
            </Card>
          </div>
        )}
      </Shown>
    </>
  );
}
