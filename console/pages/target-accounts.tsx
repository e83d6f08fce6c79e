import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { TargetStatus } from '../../src/contract/status.ts';
import { accountsQuery, causesQuery } from '../api/queries.ts';
import { toLookAt } from '../parts/health.tsx';
import { Card, Empty, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { lookOf, StateTag, stateOf } from '../parts/state.tsx';
import { SubjectLink } from '../parts/subject.tsx';
import { CardPager, Table } from '../parts/table.tsx';
import { showCount } from '../parts/words.ts';
import { RetryMany } from './retry-many.tsx';

const states = ['parked', 'left', 'due', 'waiting', 'withheld', 'disabled', 'kept', 'unbound', 'done'];

/** Those that somebody left parked are parked too; each has its own list. */
function chosenBy(state: string | undefined): { state?: string | undefined; left?: string } {
  if (state === 'left') return { state: 'parked', left: 'true' };
  return state === 'parked' ? { state, left: 'false' } : { state };
}

/** Who is there, by state or by the cause of their trouble. */
export function TargetAccounts({ target }: { target: TargetStatus }) {
  const search = useSearch({ from: '/targets/$target' });
  const navigate = useNavigate();
  const { state, cause, after } = search;
  const chosen = cause === undefined ? chosenBy(state) : { cause };
  const causes = useQuery(causesQuery);
  const trouble = causes.data?.items.find((one) => one.key === cause && one.target === target.name);
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
        ) : trouble ? (
          <For need="operate">
            <RetryMany
              chosen={{ target: target.name, ...chosen }}
              count={trouble.parked + trouble.failing}
              more={causes.data?.more ?? false}
              says={`Every account of ${target.name} that is in trouble by this cause`}
            />
          </For>
        ) : undefined
      }
    >
      <nav className="row wrap card-body" aria-label="Accounts by state" style={{ paddingBottom: 8 }}>
        <FilterLink
          isOn={state === undefined && cause === undefined}
          word="All"
          count={target.accounts}
          go={() => turn({ state: undefined, cause: undefined })}
        />
        {states
          .filter((one) => countOf(one) > 0 || one === state)
          .map((one) => (
            <FilterLink
              key={one}
              isOn={state === one}
              word={lookOf(one).word}
              count={countOf(one)}
              go={() => turn({ state: one, cause: undefined })}
            />
          ))}
        {cause !== undefined && (
          <button type="button" className="chip" aria-pressed onClick={() => turn({ cause: undefined })}>
            {trouble ? `one cause: ${trouble.cause.slice(0, 60)}${trouble.cause.length > 60 ? ' …' : ''}` : 'one cause'}{' '}
            ×<span className="unseen">, show all</span>
          </button>
        )}
      </nav>
      <Shown query={query}>
        {({ items, next }) =>
          items.length === 0 && next === null ? (
            <Empty
              icon="users"
              title={
                cause !== undefined
                  ? 'Nobody is in trouble by this cause any more'
                  : state
                    ? `Nobody is ${lookOf(state).word} there`
                    : 'Nobody is there yet'
              }
            />
          ) : (
            <>
              <Table
                key={after ?? ''}
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
                    head: 'Reason',
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
              <CardPager count={items.length} after={after} next={next} turn={turn} />
            </>
          )
        }
      </Shown>
    </Card>
  );
}

function FilterLink(props: { isOn: boolean; word: string; count?: number; go: () => void }) {
  return (
    <button type="button" className="chip" aria-pressed={props.isOn} onClick={props.go}>
      {props.word}
      {props.count !== undefined && <span className="num"> {showCount(props.count)}</span>}
    </button>
  );
}
