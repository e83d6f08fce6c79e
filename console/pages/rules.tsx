import { ActionIcon, Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { RulePolicyAnswer } from '../../src/contract/policy.ts';
import { call, step } from '../api/client.ts';
import { policiesQuery } from '../api/queries.ts';
import { Act, useSay } from '../parts/act.tsx';
import { packFiles, saveFile } from '../parts/files.ts';
import { Icon } from '../parts/icon.tsx';
import { Card, Empty, PageHead, Shown } from '../parts/page.tsx';
import { For, useMay } from '../parts/role.tsx';
import { StateTag } from '../parts/state.tsx';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { plural } from '../parts/words.ts';
import { switching } from './rule.tsx';
import { sayPlaces } from './rule-draft.ts';
import { useImport } from './rules-import.tsx';

/** The policies that bindings with *Enable Rules* are decided by. */
export function RulesPage() {
  const query = useQuery(policiesQuery);
  const items = query.data?.items ?? [];
  const bring = useImport(items);
  const add = (
    <For need="administer">
      <Link to="/rules/add" className="button-link">
        <Icon name="plus" size={16} />
        Add policy
      </Link>
    </For>
  );
  return (
    <>
      <PageHead
        title="Rules"
        says="Which operation on whom may go where. Asked by bindings with Enable Rules; a denial of one policy outdoes what others permit."
        actions={
          <>
            <For need="administer">{bring.button}</For>
            {items.length > 0 && (
              <Button
                variant="default"
                leftSection={<Icon name="download" size={15} />}
                onClick={() => saveFile('policies.zip', packAll(items), 'application/zip')}
              >
                Export all
              </Button>
            )}
            {add}
          </>
        }
      />
      {bring.results}
      <Shown query={query}>
        {() =>
          items.length === 0 ? (
            <Card>
              <Empty icon="rules" title="No policy yet" action={add}>
                Without any, all that is asked about is let through, unless the server is told otherwise.
              </Empty>
            </Card>
          ) : (
            <Policies items={items} />
          )
        }
      </Shown>
    </>
  );
}

function packAll(items: readonly RulePolicyAnswer[]) {
  return packFiles(items.map(({ name, document }) => ({ name: `${name}.xml`, text: document })));
}

function Policies({ items }: { items: RulePolicyAnswer[] }) {
  const { administer } = useMay();
  return (
    <Table
      label="Policies"
      rows={items}
      keyOf={(row) => row.id}
      columns={[
        { head: 'Order', cell: (row) => <Order items={items} at={items.indexOf(row)} /> },
        {
          head: 'Policy',
          cell: (row) => (
            <>
              <Link to="/rules/$id" params={{ id: row.name }}>
                {row.name}
              </Link>
              {row.says && (
                <div className="muted small clip hide-narrow" title={row.says.join('\n')}>
                  {row.rows?.where && `${sayPlaces(row.rows.where)} `}
                  {row.says[0]}
                  {row.says.length > 1 && ` And ${plural(row.says.length - 1, 'more row')}.`}
                </div>
              )}
            </>
          ),
        },
        { head: 'Kind', on: 'wide', cell: (row) => <span className="muted">{kindOf(row)}</span> },
        {
          head: 'State',
          cell: (row) => (row.enabled ? <span className="muted">in force</span> : <StateTag state="off" />),
        },
        {
          head: 'Changed',
          on: 'wide',
          cell: (row) => (
            <div className="clip changed" title={`by ${row.modifiedBy}`}>
              <Ago time={row.modifiedAt} /> <span className="muted">by {row.modifiedBy}</span>
            </div>
          ),
        },
        ...(administer
          ? [
              {
                head: '',
                right: true as const,
                on: 'wide' as const,
                cell: (row: RulePolicyAnswer) => <Act {...switching(row)} />,
              },
            ]
          : []),
      ]}
    />
  );
}

function kindOf({ rows, use, document }: RulePolicyAnswer): string {
  const isTemplate = /RuleId="permit_when_conditions_hold"/.test(document);
  const kind = rows ? 'rows' : isTemplate ? 'template' : 'text';
  return use === 'referenced' ? `${kind}, referenced` : kind;
}

/** Its place, and the buttons that move it. */
function Order({ items, at }: { items: readonly RulePolicyAnswer[]; at: number }) {
  const client = useQueryClient();
  const say = useSay();
  const { administer } = useMay();
  const { name } = items[at]!;
  const move = useMutation({
    mutationFn: async (by: -1 | 1) => {
      const next = [...items];
      next.splice(at + by, 0, ...next.splice(at, 1));
      // Places may have gaps or be shared; afterwards those that were met are counted through.
      for (const [n, one] of next.entries()) {
        if (one.position !== n + 1) await call('PATCH', `/policies/${step(one.id)}`, { body: { position: n + 1 } });
      }
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['policies'] }),
    onError: (error) => say(error.message, 'orange'),
  });
  const button = (by: -1 | 1, word: 'up' | 'down') => (
    <ActionIcon
      variant="subtle"
      color="gray"
      aria-label={`Move ${name} ${word}`}
      title={`Move ${word}`}
      disabled={move.isPending || !items[at + by]}
      onClick={() => move.mutate(by)}
    >
      <Icon name={word} size={15} />
    </ActionIcon>
  );
  return (
    <span className="row order">
      <span className="num">{at + 1}</span>
      {administer && (
        <>
          {button(-1, 'up')}
          {button(1, 'down')}
        </>
      )}
    </span>
  );
}
