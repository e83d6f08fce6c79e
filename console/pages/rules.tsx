import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import type { RulePolicyAnswer } from '../../src/contract/policy.ts';
import { call, step } from '../api/client.ts';
import { policiesQuery } from '../api/queries.ts';
import { Act } from '../parts/act.tsx';
import { Code, Copy } from '../parts/code.tsx';
import { Card, Empty, Facts, PageHead, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { StateTag } from '../parts/state.tsx';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';

/** The policies that bindings with *Enable Rules* are decided by. */
export function RulesPage() {
  const query = useQuery(policiesQuery);
  return (
    <>
      <PageHead
        title="Rules"
        says="XACML policies: which operation on whom may go where. They are asked by bindings with Enable Rules."
      />
      <Shown query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Card>
              <Empty icon="rules" title="No policy yet">
                They come in by the command line: <span className="mono">npx purvey rules import</span>. Without any,
                all that is asked about is let through, unless the server is told otherwise.
              </Empty>
            </Card>
          ) : (
            <Table
              label="Policies"
              rows={items}
              keyOf={(row) => row.id}
              columns={[
                { head: 'Order', cell: (row) => <span className="num">{row.position}</span> },
                {
                  head: 'Name',
                  cell: (row) => (
                    <Link to="/rules/$id" params={{ id: row.name }}>
                      {row.name}
                    </Link>
                  ),
                },
                { head: 'Use', on: 'wide', cell: (row) => <span className="muted">{row.use}</span> },
                {
                  head: 'State',
                  cell: (row) => (row.enabled ? <span className="muted">in force</span> : <StateTag state="off" />),
                },
                { head: 'Changed by', on: 'wide', cell: (row) => row.modifiedBy },
                { head: 'When', right: true, cell: (row) => <Ago time={row.modifiedAt} /> },
              ]}
            />
          )
        }
      </Shown>
    </>
  );
}

export function RulePage() {
  const { id } = useParams({ from: '/rules/$id' });
  const query = useQuery(policiesQuery);
  const policy = query.data?.items.find((one) => one.name === id || String(one.id) === id);
  return (
    <>
      <PageHead
        title={policy?.name ?? id}
        above={['Rules', '/rules']}
        says={policy && (policy.enabled ? 'In force' : <StateTag state="off" />)}
        actions={policy && <Actions policy={policy} />}
      />
      <Shown query={query}>
        {() =>
          policy ? (
            <div className="stack">
              <Card label="About it">
                <Facts
                  rows={[
                    ['Order', policy.position],
                    ['Use', policy.use === 'evaluated' ? 'evaluated by itself' : 'only where others refer to it'],
                    ['Version', policy.version],
                    ['Changed', <Ago key="changed" time={policy.modifiedAt} />],
                    ['By', policy.modifiedBy],
                  ]}
                />
              </Card>
              <Card title="Document" actions={<Copy text={policy.document} />}>
                <Code text={policy.document} label="Document" wrap />
              </Card>
            </div>
          ) : (
            <Card>
              <Empty icon="rules" title={`There is no policy ${id}`} />
            </Card>
          )
        }
      </Shown>
    </>
  );
}

function Actions({ policy }: { policy: RulePolicyAnswer }) {
  const navigate = useNavigate();
  const path = `/policies/${step(policy.id)}`;
  return (
    <For need="administer">
      <Act
        word={policy.enabled ? 'Switch off' : 'Switch on'}
        act={() => call('PATCH', path, { body: { enabled: !policy.enabled } })}
        stale={['policies', 'status', 'account']}
        says={`${policy.name} is ${policy.enabled ? 'off' : 'in force'}.`}
        confirm={{
          title: `${policy.enabled ? 'Switch off' : 'Switch on'} ${policy.name}?`,
          says: 'Accounts of bindings with Enable Rules are asked about again, and sent what they may have now.',
        }}
      />
      <Act
        word="Remove"
        icon="trash"
        act={() => call('DELETE', path)}
        stale={['policies', 'status']}
        says={`${policy.name} is removed; its versions are kept.`}
        done={() => void navigate({ to: '/rules' })}
        confirm={{ title: `Remove ${policy.name}?`, says: 'It is asked no more. What it was before is kept.' }}
      />
    </For>
  );
}
