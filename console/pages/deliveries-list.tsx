import { Button, Checkbox } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { AttemptAnswer, AttemptPage } from '../../src/contract/attempt.ts';
import { Card, Empty, Note } from '../parts/page.tsx';
import { useMay } from '../parts/role.tsx';
import { OutcomeTag } from '../parts/state.tsx';
import { SubjectLink, TargetLink } from '../parts/subject.tsx';
import { type Column, Pager, Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { plural } from '../parts/words.ts';
import { type Chosen, RetryChosen } from './retry-many.tsx';
import { describe } from './walk.tsx';

/** A page of attempts, of which some can be chosen and tried again. `back`, `on`: the pages beside it. */
export function DeliveriesList(props: {
  page: AttemptPage;
  isAsked: boolean;
  back: (() => void) | undefined;
  on: ((after: string) => void) | undefined;
}) {
  const { items, next, gone, searchedBack } = props.page;
  const { isAsked, back, on } = props;
  const { operate } = useMay();
  const [ids, setIds] = useState<ReadonlySet<number>>(new Set());
  const chosen = items.filter((row) => ids.has(row.id));
  const goOn = next === null || !on ? undefined : () => on(next);
  if (items.length === 0 && !goOn) {
    return (
      <Card>
        <Empty icon="deliveries" title={isAsked ? 'No attempt is like that' : 'Nothing was delivered yet'}>
          {gone ?? 'Attempts appear when somebody changes who may be at a target.'}
        </Empty>
      </Card>
    );
  }
  return (
    <div className="stack tight">
      {chosen.length > 0 && (
        <Note tone="blue" icon="check">
          <div className="row wrap apart">
            <span>
              {plural(chosen.length, 'delivery', 'deliveries')} chosen, of{' '}
              {plural(accountsOf(chosen).length, 'account')}
            </span>
            <span className="row">
              <Button variant="default" onClick={() => setIds(new Set())}>
                Choose none
              </Button>
              <RetryChosen chosen={accountsOf(chosen)} done={() => setIds(new Set())} />
            </span>
          </div>
        </Note>
      )}
      {items.length > 0 && (
        <Table
          label="Deliveries"
          rows={items}
          keyOf={(row) => row.id}
          columns={[...(operate ? [choosing(items, chosen, setIds)] : []), ...columns]}
        />
      )}
      {searchedBack && goOn && (
        <Note tone="grey" icon="search">
          <div className="row wrap apart">
            <span>
              {items.length === 0 ? 'Nothing like that was found so far. ' : 'This page is not full. '}
              Searched back to <Ago time={searchedBack} />; what is older was not looked at yet.
            </span>
            <Button variant="default" onClick={goOn}>
              Search on
            </Button>
          </div>
        </Note>
      )}
      <Pager says={gone ?? `${items.length} on this page`} back={back} on={goOn} />
    </div>
  );
}

/** One account may have many attempts; it is tried again once. */
function accountsOf(rows: readonly AttemptAnswer[]): Chosen[] {
  const accounts = rows.map((row) => [
    `${row.targetId} ${row.subject.id}`,
    { target: row.target, subject: row.subject.id },
  ]);
  return [...new Map(accounts as [string, Chosen][]).values()];
}

function choosing(
  items: readonly AttemptAnswer[],
  chosen: readonly AttemptAnswer[],
  setIds: (ids: ReadonlySet<number>) => void,
): Column<AttemptAnswer> {
  const ids = new Set(chosen.map((row) => row.id));
  const isAll = chosen.length === items.length;
  return {
    head: 'Choose',
    top: (
      <Checkbox
        size="xs"
        aria-label="Choose all on this page"
        checked={isAll}
        indeterminate={!isAll && chosen.length > 0}
        onChange={() => setIds(new Set(isAll ? [] : items.map((row) => row.id)))}
      />
    ),
    cell: (row) => (
      <Checkbox
        size="xs"
        aria-label={`Choose ${row.subject.name} at ${row.target}, attempt ${row.id}`}
        checked={ids.has(row.id)}
        onChange={() => {
          const changed = new Set(ids);
          if (!changed.delete(row.id)) changed.add(row.id);
          setIds(changed);
        }}
      />
    ),
  };
}

const columns: readonly Column<AttemptAnswer>[] = [
  {
    head: 'When',
    cell: (row) => (
      <Link to="/deliveries/$id" params={{ id: String(row.id) }}>
        <Ago time={row.startedAt} />
      </Link>
    ),
  },
  { head: 'Outcome', cell: (row) => <OutcomeTag outcome={row.outcome} /> },
  {
    head: 'Who',
    cell: (row) => (
      <div className="clip">
        <SubjectLink subject={row.subject} />
      </div>
    ),
  },
  { head: 'Target', on: 'wide', cell: (row) => <TargetLink target={row.target} /> },
  {
    head: 'What',
    on: 'wide',
    cell: (row) => (
      <div className="clip" title={row.reason ?? ''}>
        {describe(row)}
      </div>
    ),
  },
];
