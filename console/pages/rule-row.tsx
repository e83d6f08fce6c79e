import { ActionIcon, Button, NativeSelect, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from '../parts/icon.tsx';
import { Note } from '../parts/page.tsx';
import { ConditionLine } from './rule-condition.tsx';
import { blankCondition, type ConditionDraft, dayNames, freshId, type RowDraft } from './rule-draft.ts';
import { Places } from './rule-places.tsx';

type RowProps = {
  row: RowDraft;
  at: number;
  count: number;
  says: string;
  faults: ReadonlyMap<string, string>;
  isOpen: boolean;
  turn: (isOpen: boolean) => void;
  change: (more: Partial<RowDraft>) => void;
  move: (by: -1 | 1) => void;
  remove: () => void;
  disabled: boolean;
};

/** One row: its sentence, opened to what the sentence is made from. */
export function RowCard(props: RowProps) {
  const { row, at, count, says, faults, turn, move, remove, disabled } = props;
  const isOpen = props.isOpen || faults.size > 0;
  const name = `row ${at + 1}`;
  return (
    <li className="rule-row">
      <span className={`dot tone-${row.effect === 'withhold' ? 'grey' : 'teal'}`}>
        <Icon name={row.effect === 'withhold' ? 'hand' : 'check'} size={16} />
      </span>
      <fieldset className="rule-card">
        <legend className="unseen">{`Row ${at + 1}`}</legend>
        <div className="rule-head">
          <button type="button" className="rule-sentence" aria-expanded={isOpen} onClick={() => turn(!isOpen)}>
            <span className="num muted">{at + 1}</span>
            <span className="grow" aria-live="polite">
              {says}
            </span>
            <Icon name="chevron" size={14} />
          </button>
          {!disabled && (
            <span className="row tools-of-row">
              <Tool icon="up" word={`Move ${name} up`} act={() => move(-1)} off={at === 0} />
              <Tool icon="down" word={`Move ${name} down`} act={() => move(1)} off={at === count - 1} />
              <Tool icon="trash" word={`Remove ${name}`} act={remove} />
            </span>
          )}
        </div>
        {isOpen && <RowBody {...props} />}
      </fieldset>
    </li>
  );
}

function Tool({
  icon,
  word,
  act,
  off = false,
}: {
  icon: 'up' | 'down' | 'trash';
  word: string;
  act: () => void;
  off?: boolean;
}) {
  return (
    <ActionIcon variant="subtle" color="gray" aria-label={word} title={word} onClick={act} disabled={off}>
      <Icon name={icon} size={16} />
    </ActionIcon>
  );
}

function RowBody({ row, at, faults, change, disabled }: RowProps) {
  const { who } = row;
  const prefix = `Row ${at + 1}`;
  const putWho = (next: ConditionDraft[]) => change({ who: next });
  return (
    <div className="rule-body">
      {faults.has('') && (
        <div role="alert">
          <Note tone="orange" icon="warning">
            {faults.get('')}
          </Note>
        </div>
      )}
      <Part word="What">
        <div className="row wrap">
          <NativeSelect
            aria-label={`${prefix}, effect`}
            data={[
              { value: 'withhold', label: 'Withhold' },
              { value: 'let-through', label: 'Let through' },
            ]}
            value={row.effect}
            disabled={disabled}
            onChange={(event) => change({ effect: event.currentTarget.value as RowDraft['effect'] })}
          />
          <Chips
            label={`${prefix}, operations`}
            all={operations}
            chosen={row.operations}
            set={(chosen) => change({ operations: chosen })}
            none="every operation"
            disabled={disabled}
          />
        </div>
        <Fault text={faults.get('operations')} />
      </Part>
      <Part word="Who">
        {who.length === 0 && <span className="muted">Everybody</span>}
        {who.map((condition, n) => (
          <ConditionLine
            key={condition.id}
            label={`${prefix}, condition ${n + 1}`}
            before={n === 0 ? undefined : 'and'}
            condition={condition}
            faults={(field) => faults.get(`who[${n}].${field}`)}
            change={(more) => putWho(who.map((one) => (one === condition ? { ...one, ...more } : one)))}
            remove={() => putWho(who.filter((one) => one !== condition))}
            disabled={disabled}
          />
        ))}
        {!disabled && (
          <div>
            <Button
              variant="subtle"
              size="compact-sm"
              leftSection={<Icon name="plus" size={14} />}
              onClick={() => putWho([...who, blankCondition(freshId(who))])}
            >
              {who.length === 0 ? 'Only some people' : 'And …'}
              <span className="unseen">{`, ${prefix}`}</span>
            </Button>
          </div>
        )}
      </Part>
      <Part word="Where">
        <Places
          where={row}
          label={prefix}
          change={change}
          fault={(place) => faults.get(`where.${place}`)}
          disabled={disabled}
        />
      </Part>
      <Part word="When">
        <Times row={row} prefix={prefix} change={change} faults={faults} disabled={disabled} />
      </Part>
    </div>
  );
}

function Part({ word, children }: { word: string; children: ReactNode }) {
  return (
    <div className="rule-part">
      <span className="step">{word}</span>
      <div className="stack tight">{children}</div>
    </div>
  );
}

function Fault({ text }: { text: string | undefined }) {
  return text ? <div className="text-orange small">{text}</div> : null;
}

const operations = [
  ['create', 'Create'],
  ['change', 'Change'],
  ['password', 'Password'],
  ['remove', 'Remove'],
] as const;

const weekdays = dayNames.map((day) => [day, `${day[0]!.toUpperCase()}${day.slice(1, 3)}`] as const);

/** Any of a few, pressed or not; none pressed asks nothing. */
function Chips(props: {
  label: string;
  all: readonly (readonly [string, string])[];
  chosen: readonly string[];
  set: (chosen: string[]) => void;
  none: string;
  disabled: boolean;
}) {
  const { label, all, chosen, set, none, disabled } = props;
  return (
    <fieldset className="chips">
      <legend className="unseen">{label}</legend>
      {all.map(([value, word]) => {
        const isOn = chosen.includes(value);
        const next = isOn
          ? chosen.filter((one) => one !== value)
          : all.map(([one]) => one).filter((one) => one === value || chosen.includes(one));
        return (
          <button
            key={value}
            type="button"
            className="chip"
            aria-pressed={isOn}
            disabled={disabled}
            onClick={() => set(next)}
          >
            {word}
          </button>
        );
      })}
      {chosen.length === 0 && <span className="muted small">{none}</span>}
    </fieldset>
  );
}

type PartProps = Pick<RowProps, 'row' | 'change' | 'faults' | 'disabled'> & { prefix: string };

function Times({ row, prefix, change, faults, disabled }: PartProps) {
  const field = (key: 'from' | 'to' | 'since' | 'until', word: string, type: 'time' | 'date') => (
    <TextInput
      key={key}
      type={type}
      label={word}
      aria-label={`${prefix}, ${word.toLowerCase()}`}
      value={row[key]}
      error={faults.get(`when.${key}`)}
      disabled={disabled}
      onChange={(event) => change({ [key]: event.currentTarget.value })}
    />
  );
  return (
    <>
      <Chips
        label={`${prefix}, days`}
        all={weekdays}
        chosen={row.days}
        set={(days) => change({ days })}
        none="every day"
        disabled={disabled}
      />
      <div className="quarters">
        {field('from', 'From', 'time')}
        {field('to', 'To', 'time')}
        {field('since', 'First day', 'date')}
        {field('until', 'Last day', 'date')}
      </div>
      <div className="muted small">
        In the server’s time zone. A time that ends before it begins ends on the next day.
      </div>
    </>
  );
}
