import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { RulePolicyAnswer } from '../../src/contract/policy.ts';
import { ApiError, call, step } from '../api/client.ts';
import { Act, useSay } from '../parts/act.tsx';
import {
  ChoiceField,
  type Draft,
  errorOf,
  Refusal,
  SwitchField,
  TextField,
  useDraft,
  useUnsaved,
} from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { Card, Fold, Note } from '../parts/page.tsx';
import { useMay } from '../parts/role.tsx';
import {
  anywhere,
  blankRow,
  draftOf,
  draftRows,
  findWithholdsAll,
  type PolicyDraft,
  toRows,
  wholeRows,
} from './rule-draft.ts';
import { Missing, SaveBar, Views } from './rule-frame.tsx';
import { RowsForm, useFilledRows } from './rule-rows.tsx';
import type { RuleSearch, Turn } from './rule-search.ts';
import { TemplateForm } from './rule-template.tsx';
import { MadeText, TextForm } from './rule-text.tsx';
import { TryRule } from './rule-try.tsx';
import { RuleVersions } from './rule-versions.tsx';

const blank: PolicyDraft = {
  name: '',
  use: 'evaluated',
  enabled: true,
  kind: 'rows',
  description: '',
  where: anywhere(),
  removals: 'always',
  rows: [blankRow(1)],
  otherwise: 'nothing',
  document: '',
};

/** A policy in its views, which share what is not saved yet. `policy` undefined: a new one. */
export function RuleEditor(props: { policy?: RulePolicyAnswer; search: RuleSearch; turn: Turn }) {
  const { policy, search, turn } = props;
  const client = useQueryClient();
  const navigate = useNavigate();
  const say = useSay();
  const { administer } = useMay();
  const draft = useDraft<PolicyDraft>(
    policy ? draftOf(policy) : { ...blank, kind: search.view === 'rows' || search.view === 'try' ? 'rows' : 'text' },
  );
  const { values, isDirty } = draft;
  const view = search.view ?? values.kind;
  const [isAsked, setAsked] = useState(false);
  const filled = useFilledRows(values);

  // What somebody else saved is shown, unless something here would be lost.
  const [seen, setSeen] = useState(policy?.version);
  const isBehind = policy !== undefined && policy.version !== seen;
  useEffect(() => {
    if (!policy || !isBehind || isDirty) return;
    draft.settle(draftOf(policy));
    setSeen(policy.version);
  }, [policy, isBehind, isDirty, draft]);

  const save = useMutation({
    mutationFn: () => {
      const content = values.kind === 'rows' ? { rows: wholeRows(toRows(values)) } : { document: values.document };
      const body = { name: values.name.trim(), use: values.use, ...content };
      return policy
        ? call<RulePolicyAnswer>('PATCH', `/policies/${step(policy.id)}`, { body })
        : call<RulePolicyAnswer>('POST', '/policies', { body: { ...body, enabled: values.enabled } });
    },
    onSuccess: async (saved) => {
      draft.settle(draftOf(saved));
      setSeen(saved.version);
      setAsked(false);
      say(policy ? `${saved.name} is saved.` : `${saved.name} is ${saved.enabled ? 'in force' : 'added'}.`);
      await Promise.all(['policies', 'status', 'account'].map((key) => client.invalidateQueries({ queryKey: [key] })));
      if (saved.name === policy?.name) return;
      const there = { id: saved.name };
      await navigate({ to: '/rules/$id', params: there, search: { ...search, view }, ignoreBlocker: true });
    },
    onError: (error) => {
      // The field it is about is in another view.
      if (isMarked(error, values.kind) && view !== 'text') turn({ view: 'text' });
    },
  });
  useUnsaved(isDirty, save.isPending);
  const send = () => {
    setAsked(true);
    save.mutate();
  };

  const become = (more: Partial<PolicyDraft>) => {
    for (const [key, value] of Object.entries(more)) draft.set(key as keyof PolicyDraft, value as never);
    save.reset();
  };

  return (
    <div className="stack">
      <Views policy={policy} search={search} view={view} kind={values.kind} />
      {isBehind && isDirty && (
        <Note tone="orange" icon="warning">
          {policy.modifiedBy} saved version {policy.version} meanwhile. Saving here replaces it.{' '}
          <Button
            variant="subtle"
            size="compact-xs"
            onClick={() => {
              draft.settle(draftOf(policy));
              setSeen(policy.version);
            }}
          >
            Show it, and leave what is here
          </Button>
        </Note>
      )}
      {(view === 'rows' || view === 'text' || view === 'template') && (
        <About draft={draft} isNew={!policy} error={save.error} disabled={!administer} />
      )}
      {view === 'rows' &&
        (values.kind === 'rows' ? (
          <RowsForm draft={draft} filled={filled} showFaults={isAsked} disabled={!administer} />
        ) : (
          <Note tone="grey" icon="rules">
            This policy is written as text, and has no rows. What text can say, rows often cannot: a new policy is the
            way to rows.
          </Note>
        ))}
      {view === 'text' &&
        (values.kind === 'rows' ? (
          <MadeText document={filled.document}>
            {administer && (
              <Act
                word="Edit as text"
                act={async () => become({ kind: 'text', document: filled.document ?? '' })}
                stale={[]}
                disabled={filled.document === null}
                confirm={{
                  title: 'Edit it as text?',
                  says: 'Once that is saved, it is text for good: its rows are gone, and are found among its versions only.',
                }}
              />
            )}
          </MadeText>
        ) : (
          <TextForm policy={policy} draft={draft} error={save.error} disabled={!administer} />
        ))}
      {view === 'template' && (
        <TemplateForm
          name={values.name}
          done={({ document, rows }) => {
            become(rows ? { kind: 'rows', ...draftRows(rows) } : { kind: 'text', document });
            turn({ view: rows ? 'rows' : 'text' });
          }}
        />
      )}
      {view === 'try' && <TryRule policy={policy} draft={values} isDirty={isDirty} search={search} turn={turn} />}
      {view === 'versions' && policy && <RuleVersions policy={policy} search={search} turn={turn} isDirty={isDirty} />}
      {administer && (isDirty || !policy) && view !== 'versions' && view !== 'template' && (
        <SaveBar
          word={policy ? 'Save' : 'Add policy'}
          isDirty={isDirty}
          isBusy={save.isPending}
          save={send}
          undo={() => {
            if (policy) draft.settle(draftOf(policy));
            save.reset();
          }}
          isNew={!policy}
        >
          {findWithholdsAll(values) >= 0 && (
            <span className="row text-orange small">
              <Icon name="warning" size={15} /> Row {findWithholdsAll(values) + 1} withholds everybody, everywhere.
            </span>
          )}
          {values.kind === 'rows' && <Missing faults={filled.faults} />}
          {!isOfRows(save.error) && !isMarked(save.error, values.kind) && (
            <Refusal error={save.error} fields={['name']} />
          )}
        </SaveBar>
      )}
    </div>
  );
}

/** What is wrong is said at the line or the row; said once more beside the button it would be too much. */
const isMarked = (error: Error | null, kind: PolicyDraft['kind']) =>
  kind === 'text' && error instanceof ApiError && error.field === 'document' && error.line !== undefined;
const isOfRows = (error: Error | null) => error instanceof ApiError && /^rows\b/.test(error.field ?? '');

function About(props: { draft: Draft<PolicyDraft>; isNew: boolean; error: Error | null; disabled: boolean }) {
  const { draft, isNew, error, disabled } = props;
  const fields = (
    <div className="form">
      <TextField
        draft={draft}
        name="name"
        label="Name"
        required={isNew}
        error={error}
        disabled={disabled}
        help="Unique among policies. Reasons name it."
      />
      {draft.values.kind === 'rows' && (
        <TextField
          draft={draft}
          name="description"
          label="Description"
          error={error}
          field="rows.description"
          disabled={disabled}
        />
      )}
      <ChoiceField
        draft={draft}
        name="use"
        label="Use"
        disabled={disabled}
        options={[
          { value: 'evaluated', label: 'Asked by itself' },
          { value: 'referenced', label: 'Only where other policies refer to it' },
        ]}
      />
      {isNew && (
        <SwitchField
          draft={draft}
          name="enabled"
          label="In force when it is added"
          disabled={disabled}
          help="Off: it is kept, and asked by nobody until it is switched on."
        />
      )}
    </div>
  );
  if (isNew) return <Card label="About it">{fields}</Card>;
  return (
    <Fold title="Name and use" open={error !== null && errorOf(error, 'name') !== undefined}>
      {fields}
    </Fold>
  );
}
