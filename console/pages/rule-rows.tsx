import { Button } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import type { FilledRows } from '../../src/contract/policy.ts';
import { filledRowsQuery } from '../api/queries.ts';
import { ChoiceField, type Draft } from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { Card, Note } from '../parts/page.tsx';
import { blankRow, draftRows, freshId, type PolicyDraft, places, type RowDraft, toRows } from './rule-draft.ts';
import { Places } from './rule-places.tsx';
import { RowCard } from './rule-row.tsx';

export type Filled = {
  /** The sentence of a row, by its id; what was said last while the next is on its way. */
  says: ReadonlyMap<number, string>;
  faults: readonly { field: string; reason: string }[];
  document: string | null;
  /** Groups would be withheld unsaid; only while it is about the draft as it stands. */
  hint: FilledRows['hint'];
};

/** What the rows say and make, asked of the server as they are edited. */
export function useFilledRows(draft: PolicyDraft): Filled {
  const [slow] = useDebouncedValue(draft, 150);
  const says = useRef(new Map<number, string>());
  const query = useQuery({
    ...filledRowsQuery(slow.name.trim() || 'new policy', toRows(slow)),
    enabled: slow.kind === 'rows',
  });
  const { data, isPlaceholderData } = query;
  if (data && !isPlaceholderData) {
    for (const [n, row] of slow.rows.entries()) says.current.set(row.id, data.says[n] ?? '');
  }
  const isOfThis = slow === draft && !isPlaceholderData;
  return {
    says: says.current,
    faults: data?.faults ?? [],
    document: data?.document ?? null,
    hint: (isOfThis && data?.hint) || null,
  };
}

/** Rows in their order: the first that applies decides. */
export function RowsForm(props: { draft: Draft<PolicyDraft>; filled: Filled; showFaults: boolean; disabled: boolean }) {
  const { draft, filled, showFaults, disabled } = props;
  const { rows, removals } = draft.values;
  const [open, setOpen] = useState<ReadonlySet<number>>(() => new Set(rows.length === 1 ? [rows[0]!.id] : []));
  const turn = (id: number, isOpen: boolean) =>
    setOpen((all) => new Set(isOpen ? [...all, id] : [...all].filter((one) => one !== id)));
  const put = (next: RowDraft[]) => draft.set('rows', next);
  const change = (id: number, more: Partial<RowDraft>) =>
    put(rows.map((row) => (row.id === id ? { ...row, ...more } : row)));
  const move = (at: number, by: -1 | 1) => {
    const next = [...rows];
    next.splice(at + by, 0, ...next.splice(at, 1));
    put(next);
  };
  const add = () => {
    const row = blankRow(freshId(rows));
    put([...rows, row]);
    turn(row.id, true);
  };
  return (
    <Card
      title="Rows"
      actions={<span className="muted small">The first that applies decides. All parts of a row must hold.</span>}
    >
      {filled.hint && !disabled && (
        <div className="rule-hint" role="status">
          <Note tone="orange" icon="groups">
            {filled.hint.says}{' '}
            <Button
              variant="subtle"
              size="compact-xs"
              onClick={() => {
                if (filled.hint) put(draftRows(filled.hint.rows).rows);
              }}
            >
              Withhold users alone
            </Button>
          </Note>
        </div>
      )}
      <ol className="rule-rows" aria-label="Rows">
        <About draft={draft} faults={showFaults ? filled.faults : []} disabled={disabled} />
        <li className="rule-row fixed">
          <span className={`dot tone-${removals === 'always' ? 'teal' : 'orange'}`}>
            <Icon name={removals === 'always' ? 'check' : 'warning'} size={16} />
          </span>
          <div className="rule-line">
            <ChoiceField
              draft={draft}
              name="removals"
              label="Removals"
              disabled={disabled}
              options={[
                { value: 'always', label: 'Let through always, before any row' },
                { value: 'as-other-operations', label: 'The rows decide on them too' },
              ]}
            />
            {removals !== 'always' && (
              <Note tone="orange" icon="warning">
                A removal that is withheld leaves an account alive that nobody should have.
              </Note>
            )}
          </div>
        </li>
        {rows.map((row, at) => (
          <RowCard
            key={row.id}
            row={row}
            at={at}
            count={rows.length}
            says={filled.says.get(row.id) ?? '…'}
            faults={showFaults ? faultsOf(filled.faults, at) : new Map()}
            isOpen={open.has(row.id)}
            turn={(isOpen) => turn(row.id, isOpen)}
            change={(more) => change(row.id, more)}
            move={(by) => move(at, by)}
            remove={() => put(rows.filter((one) => one.id !== row.id))}
            disabled={disabled}
          />
        ))}
        {!disabled && (
          <li className="rule-row fixed">
            <span className="dot tone-grey">
              <Icon name="plus" size={16} />
            </span>
            <Button variant="default" onClick={add}>
              Add row
            </Button>
          </li>
        )}
        <li className="rule-row fixed">
          <span className="dot tone-grey">
            <Icon name={draft.values.otherwise === 'withhold' ? 'hand' : 'minus'} size={16} />
          </span>
          <div className="rule-line">
            <ChoiceField
              draft={draft}
              name="otherwise"
              label="When no row applies"
              disabled={disabled}
              options={[
                { value: 'nothing', label: 'Say nothing: other policies decide' },
                { value: 'withhold', label: 'Withhold everything else' },
              ]}
            />
          </div>
        </li>
      </ol>
    </Card>
  );
}

/** Where the policy says anything at all; mostly everywhere. */
function About(props: { draft: Draft<PolicyDraft>; faults: Filled['faults']; disabled: boolean }) {
  const { draft, faults, disabled } = props;
  const { where } = draft.values;
  const [isAsked, setAsked] = useState(false);
  const isNarrow = places.some((place) => where[place].length > 0);
  return (
    <li className="rule-row fixed">
      <span className="dot tone-grey">
        <Icon name="rules" size={16} />
      </span>
      {isNarrow || isAsked ? (
        <div className="stack tight">
          <span className="small">The whole policy is about these alone; elsewhere it says nothing.</span>
          <Places
            where={where}
            label="Whole policy"
            change={(more) => draft.set('where', { ...where, ...more })}
            fault={(place) => faults.find(({ field }) => field === `rows.where.${place}`)?.reason}
            disabled={disabled}
          />
        </div>
      ) : (
        <div className="row wrap">
          <span>About every target</span>
          {!disabled && (
            <Button variant="subtle" size="compact-sm" onClick={() => setAsked(true)}>
              Only some
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

/** By what they are about within the row; `` for the row itself. */
function faultsOf(faults: Filled['faults'], at: number): Map<string, string> {
  const place = `rows.list[${at}]`;
  return new Map(
    faults
      .filter(({ field }) => field === place || field.startsWith(`${place}.`))
      .map(({ field, reason }) => [field.slice(place.length + 1), reason]),
  );
}
