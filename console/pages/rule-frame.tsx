import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { RulePolicyAnswer } from '../../src/contract/policy.ts';
import type { PolicyDraft } from './rule-draft.ts';
import type { RuleSearch } from './rule-search.ts';

/** The views of a policy, each with its address. */
export function Views(props: {
  policy: RulePolicyAnswer | undefined;
  search: RuleSearch;
  view: NonNullable<RuleSearch['view']>;
  kind: PolicyDraft['kind'];
}) {
  const { policy, search, view, kind } = props;
  const shown = [
    ...(view === 'template' ? [['template', 'Template'] as const] : []),
    ...(kind === 'rows' && view !== 'template' ? [['rows', 'Rows'] as const] : []),
    ...(view === 'template' ? [] : [['text', 'Text'] as const, ['try', 'Try it'] as const]),
    ...(policy ? [['versions', 'Versions'] as const] : []),
  ];
  return (
    <nav className="views" aria-label="Views of this policy">
      {shown.map(([name, word]) => {
        const shared = {
          className: 'view',
          search: { ...search, view: name },
          ...(name === view ? { 'aria-current': 'page' as const } : {}),
        };
        return policy ? (
          <Link key={name} to="/rules/$id" params={{ id: policy.name }} {...shared}>
            {word}
          </Link>
        ) : (
          <Link key={name} to="/rules/add" {...shared}>
            {word}
          </Link>
        );
      })}
    </nav>
  );
}

/** Stays in sight as long as something is not saved. */
export function SaveBar(props: {
  word: string;
  isDirty: boolean;
  isBusy: boolean;
  isNew: boolean;
  save: () => void;
  undo: () => void;
  children: ReactNode;
}) {
  const { word, isDirty, isBusy, isNew, save, undo } = props;
  return (
    <section className="save-bar" aria-label="Saving">
      {props.children}
      <div className="row wrap">
        <Button size="sm" loading={isBusy} disabled={!isDirty && !isNew} onClick={save}>
          {word}
        </Button>
        {isDirty && !isNew && (
          <Button size="sm" variant="default" onClick={undo}>
            Undo all
          </Button>
        )}
        {isDirty && <span className="muted small">Not saved yet</span>}
      </div>
    </section>
  );
}

/** The first that is missing in the rows. */
export function Missing({ faults }: { faults: readonly { field: string; reason: string }[] }) {
  const [fault] = faults;
  if (!fault) return null;
  const row = /^rows\.list\[(\d+)\]/.exec(fault.field)?.[1];
  return (
    <div className="muted small" role="status">
      {row === undefined ? '' : `Row ${Number(row) + 1}: `}
      {fault.reason}
      {faults.length > 1 && ` And ${faults.length - 1} more.`}
    </div>
  );
}
