import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { RulePolicyAnswer, RulePolicyVersion } from '../../src/contract/policy.ts';
import { call, step } from '../api/client.ts';
import { policyVersionsQuery } from '../api/queries.ts';
import { Act } from '../parts/act.tsx';
import { Code, Copy } from '../parts/code.tsx';
import { Card, Note, Shown } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { sayPlaces, wholeRows } from './rule-draft.ts';
import type { RuleSearch, Turn } from './rule-search.ts';

/** What a policy was, each version with who made it. */
export function RuleVersions(props: { policy: RulePolicyAnswer; search: RuleSearch; turn: Turn; isDirty: boolean }) {
  const { policy, search, turn, isDirty } = props;
  const query = useQuery(policyVersionsQuery(policy.id));
  return (
    <Shown query={query}>
      {({ items }) => {
        const chosen = items.find((one) => one.version === search.version);
        return (
          <div className="stack">
            <Table
              label="Versions"
              rows={items}
              keyOf={(row) => row.version}
              columns={[
                {
                  head: 'Version',
                  cell: (row) => (
                    <Link
                      to="/rules/$id"
                      params={{ id: policy.name }}
                      search={{ view: 'versions', version: row.version }}
                      aria-current={row.version === search.version ? 'true' : undefined}
                    >
                      Version {row.version}
                    </Link>
                  ),
                },
                { head: 'What', cell: (row) => describe(row, items) },
                { head: 'By', cell: (row) => row.actor },
                { head: 'When', right: true, cell: (row) => <Ago time={row.at} /> },
              ]}
            />
            {chosen && (
              <Version
                key={chosen.version}
                policy={policy}
                version={chosen}
                isDirty={isDirty}
                done={() => turn({ view: undefined, version: undefined })}
              />
            )}
          </div>
        );
      }}
    </Shown>
  );
}

/** What was changed against the version before. */
function describe(row: RulePolicyVersion, all: readonly RulePolicyVersion[]): string {
  const before = all.find((one) => one.version === row.version - 1);
  if (!before) return row.rows ? 'Added, from rows' : 'Added, as text';
  if (row.document === null) return 'Removed';
  const said = [
    ...(row.document === before.document ? [] : [row.rows ? 'Rows changed' : 'Text changed']),
    ...(row.name === before.name ? [] : [`renamed from ${before.name}`]),
    ...(row.enabled === before.enabled ? [] : [row.enabled ? 'switched on' : 'switched off']),
    ...(row.position === before.position ? [] : ['moved']),
    ...(row.use === before.use ? [] : ['its use changed']),
  ].join(', ');
  return said === '' ? 'Made text' : `${said[0]!.toUpperCase()}${said.slice(1)}`;
}

function Version(props: { policy: RulePolicyAnswer; version: RulePolicyVersion; isDirty: boolean; done: () => void }) {
  const { policy, version, isDirty, done } = props;
  const { document, rows, says } = version;
  const isNow = document === policy.document && (rows === null) === (policy.rows === null);
  const losesRows = policy.rows !== null && rows === null;
  return (
    <Card
      title={`Version ${version.version}`}
      actions={
        <>
          {document !== null && <Copy text={document} />}
          {document !== null && !isNow && (
            <For need="administer">
              <Act
                word="Bring back"
                icon="retry"
                act={() =>
                  call('PATCH', `/policies/${step(policy.id)}`, {
                    body: rows ? { rows: wholeRows(rows) } : { document },
                  })
                }
                stale={['policies', 'status', 'account']}
                says={`${policy.name} is as it was in version ${version.version}.`}
                done={done}
                disabled={isDirty}
                confirm={{
                  title: `Bring version ${version.version} back?`,
                  says: `It says again what it said then, as a new version; its name, order and whether it is on stay as they are. ${
                    losesRows ? 'It is text then, and its rows are gone. ' : ''
                  }Accounts of bindings with Enable Rules are asked about again.`,
                }}
              />
            </For>
          )}
        </>
      }
    >
      <div className="stack">
        {isNow && (
          <Note tone="grey" icon="check">
            It says this now.
          </Note>
        )}
        {isDirty && (
          <Note tone="orange" icon="warning">
            There are changes that are not saved. Save or undo them before a version is brought back.
          </Note>
        )}
        {rows && says && (
          <ol className="sentences">
            {rows.where && <li>{sayPlaces(rows.where)}</li>}
            {rows.removals !== 'as-other-operations' && <li>Let through every removal.</li>}
            {says.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
            {rows.otherwise === 'withhold' && <li>Withhold everything else.</li>}
          </ol>
        )}
        {document !== null && <Code text={document} label={`Document of version ${version.version}`} wrap />}
      </div>
    </Card>
  );
}
