import { Button, NativeSelect, Switch, Textarea, TextInput } from '@mantine/core';
import { useBlocker } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { useGuard } from './act.tsx';
import { idle, useKeptFocus, useRefusalFocus } from './focus.ts';
import { Note } from './page.tsx';

/**
 * A copy of some values that is changed by hand until it is saved. While nothing is changed it follows what is saved
 * elsewhere; what somebody is about to change stays as they see it.
 */
export type Draft<V extends object> = {
  values: V;
  set: <K extends keyof V>(key: K, value: V[K]) => void;
  isDirty: boolean;
  /** Of what is sent, what was changed here: the rest stays as it is by then. Keys are those of the values. */
  onlyChanged: <B extends object>(body: B) => Partial<B>;
  /** Saved: what is there now is the beginning. */
  settle: (values?: V) => void;
};

export function useDraft<V extends object>(start: V): Draft<V> {
  const [{ from, values, seen }, setDraft] = useState({ from: start, values: start, seen: JSON.stringify(start) });
  const isDirty = JSON.stringify(from) !== JSON.stringify(values);
  const given = JSON.stringify(start);
  if (given !== seen) setDraft({ ...(isDirty ? { from, values } : { from: start, values: start }), seen: given });
  return {
    values,
    set: (key, value) => setDraft((draft) => ({ ...draft, values: { ...draft.values, [key]: value } })),
    isDirty,
    onlyChanged: (body) => {
      const differs = (key: string) => JSON.stringify(from[key as keyof V]) !== JSON.stringify(values[key as keyof V]);
      return Object.fromEntries(Object.entries(body).filter(([key]) => differs(key))) as Partial<typeof body>;
    },
    settle: (now) => setDraft((draft) => ({ ...draft, from: now ?? draft.values, values: now ?? draft.values })),
  };
}

/**
 * What the server said about one field; undefined when it is not about it. It calls the field as the API does; people know
 * it by its `label`.
 */
export function errorOf(error: Error | null, field: string, label?: string): string | undefined {
  if (!(error instanceof ApiError) || error.field !== field) return undefined;
  const isNamed = label !== undefined && error.message.startsWith(`${field} `);
  return isNamed ? `${label}${error.message.slice(field.length)}` : error.message;
}

/** A refusal that belongs to none of the fields that are shown. */
export function Refusal({ error, fields }: { error: Error | null; fields: readonly string[] }) {
  if (!error) return null;
  if (error instanceof ApiError && error.field !== undefined && fields.includes(error.field)) return null;
  return (
    <div role="alert" tabIndex={-1}>
      <Note tone="orange" icon="warning">
        {error.message}
      </Note>
    </div>
  );
}

type TextProps<V extends object> = {
  draft: Draft<V>;
  name: keyof V & string;
  label: string;
  help?: ReactNode;
  error?: Error | null;
  /** What the API calls it, when not `name`. */
  field?: string;
  required?: boolean;
  rows?: number;
  disabled?: boolean;
  placeholder?: string;
  whole?: boolean;
};

export function TextField<V extends object>(props: TextProps<V>) {
  const { draft, name, label, help, error = null, field = name, required = false, rows, disabled = false } = props;
  const shared = {
    label,
    description: help,
    error: errorOf(error, field, label),
    required,
    disabled,
    placeholder: props.placeholder ?? '',
    value: String(draft.values[name] ?? ''),
    className: props.whole ? 'whole' : '',
  };
  const change = (text: string) => draft.set(name, text as V[typeof name]);
  return rows === undefined ? (
    <TextInput {...shared} onChange={(event) => change(event.currentTarget.value)} autoComplete="off" />
  ) : (
    <Textarea {...shared} rows={rows} onChange={(event) => change(event.currentTarget.value)} spellCheck={false} />
  );
}

export function SwitchField<V extends object>(props: {
  draft: Draft<V>;
  name: keyof V & string;
  label: string;
  help?: ReactNode;
  disabled?: boolean;
}) {
  const { draft, name } = props;
  return (
    <Switch
      label={props.label}
      description={props.help}
      disabled={props.disabled ?? false}
      checked={Boolean(draft.values[name])}
      onChange={(event) => draft.set(name, event.currentTarget.checked as V[typeof name])}
    />
  );
}

export function ChoiceField<V extends object>(props: {
  draft: Draft<V>;
  name: keyof V & string;
  label: string;
  help?: ReactNode;
  options: readonly { value: string; label: string }[];
  error?: Error | null;
  field?: string;
  disabled?: boolean;
}) {
  const { draft, name } = props;
  return (
    <NativeSelect
      label={props.label}
      description={props.help}
      error={errorOf(props.error ?? null, props.field ?? name, props.label)}
      disabled={props.disabled ?? false}
      data={[...props.options]}
      value={String(draft.values[name] ?? '')}
      onChange={(event) => draft.set(name, event.currentTarget.value as V[typeof name])}
    />
  );
}

/** Leaving the page with unsaved changes is questioned; another view of the same page is no leaving. */
export function useUnsaved(isDirty: boolean, busy: boolean): void {
  useGuard(isDirty);
  useBlocker({
    shouldBlockFn: ({ current, next }) =>
      current.pathname !== next.pathname && !confirm('There are changes that are not saved. Leave them?'),
    disabled: !isDirty || busy,
  });
}

/** Sends by button and by Enter; leaving with unsaved changes is questioned. */
export function Form(props: {
  submit: () => void;
  word: string;
  busy: boolean;
  isDirty: boolean;
  children: ReactNode;
  beside?: ReactNode;
  /** Whether it may be sent although nothing was changed. */
  anyway?: boolean;
  hidden?: boolean;
}) {
  useUnsaved(props.isDirty, props.busy);
  const form = useRefusalFocus(props.busy);
  const button = useKeptFocus<HTMLButtonElement>(props.busy);
  const isIdle = !props.isDirty && !props.anyway;
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!isIdle && !props.busy) props.submit();
  };
  return (
    <form ref={form} onSubmit={send} noValidate>
      {props.children}
      <div className="form-foot">
        {!props.hidden && (
          <Button ref={button} type="submit" size="sm" loading={props.busy} {...idle(isIdle)}>
            {props.word}
          </Button>
        )}
        {props.beside}
        {props.isDirty && <span className="muted small">Not saved yet</span>}
      </div>
    </form>
  );
}
