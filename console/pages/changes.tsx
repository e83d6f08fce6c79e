import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { changesQuery } from '../api/queries.ts';
import { Card, Empty, Note, PageHead, Shown } from '../parts/page.tsx';
import { SubjectLink } from '../parts/subject.tsx';
import { Pager, Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { doorWord, showCount } from '../parts/words.ts';

const perPage = 50;

/** The log of the directory: who changed, by whom, through which door, for whom. The latest is at the top. */
export function ChangesPage() {
  const search = useSearch({ from: '/changes' });
  const navigate = useNavigate();
  const query = useQuery(changesQuery({ ...search, limit: perPage }));
  const turn = (after: number | undefined) => void navigate({ to: '/changes', search: { ...search, after } });
  return (
    <>
      <PageHead title="Changes" says="Everything that changed in the directory: who, by whom, and for whom." />
      {search.subject !== undefined && (
        <div className="tools">
          <Link
            to="/changes"
            search={{ after: undefined, subject: undefined }}
            className="chip"
            style={{ lineHeight: '26px' }}
          >
            of one only ×<span className="unseen">, show all</span>
          </Link>
        </div>
      )}
      <Shown query={query}>
        {({ items, gone }) => {
          const first = items[0]?.seq ?? 0;
          const last = items.at(-1)?.seq ?? 0;
          if (items.length === 0) {
            return (
              <Card>
                <Empty icon="changes" title="Nothing changed yet">
                  {gone ?? 'The log begins with the first person.'}
                </Empty>
              </Card>
            );
          }
          return (
            <>
              {gone && (
                <div style={{ marginBottom: 12 }}>
                  <Note tone="grey" icon="clock">
                    {gone}
                  </Note>
                </div>
              )}
              <Table
                key={search.after ?? ''}
                label="Changes"
                rows={items.toReversed()}
                keyOf={(row) => row.seq}
                columns={[
                  { head: 'Number', cell: (row) => <span className="num">{row.seq}</span> },
                  {
                    head: 'Who',
                    cell: (row) => (
                      <div className="clip">
                        <SubjectLink subject={row.subject} />
                        {row.other && (
                          <>
                            <span className="muted"> member </span>
                            <SubjectLink subject={row.other} />
                          </>
                        )}
                      </div>
                    ),
                  },
                  { head: 'Kind', on: 'wide', cell: (row) => <span className="muted">{row.subject.kind}</span> },
                  { head: 'By', on: 'wide', cell: (row) => <div className="clip">{row.actor}</div> },
                  { head: 'Through', on: 'wide', cell: (row) => doorWord(row.door) },
                  { head: 'For', on: 'wide', cell: (row) => row.serviceProvider },
                  { head: 'When', right: true, cell: (row) => <Ago time={row.at} /> },
                ]}
              />
              <Pager
                says={`Changes ${showCount(first)} to ${showCount(last)}`}
                back={search.after === undefined ? undefined : () => turn(items.length === perPage ? last : undefined)}
                on={
                  first > 1 && search.subject === undefined ? () => turn(Math.max(0, first - perPage - 1)) : undefined
                }
              />
            </>
          );
        }}
      </Shown>
    </>
  );
}
