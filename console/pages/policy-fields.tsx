import { NativeSelect, TagsInput, TextInput } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import type { PolicyAnswer } from '../../src/contract/target.ts';
import { get } from '../api/client.ts';
import { errorOf, Refusal } from '../parts/form.tsx';
import { Shown } from '../parts/page.tsx';

/** As they are typed: blank is the usual. */
export type PolicyDraft = Record<string, string | string[]>;

type Field = {
  description?: string;
  default?: unknown;
  enum?: readonly string[];
  type?: string;
  minimum?: number;
  maximum?: number;
};

type Description = {
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Schema }> } }>>;
};
type Schema = { properties: Record<string, Schema & Field> };

/** What may be decided about a target, as the API describes it: what is added there appears here by itself. */
const policyQuery = queryOptions({
  queryKey: ['openapi'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: () => get<Description>('/openapi.json'),
  select: ({ paths }): [string, Field][] => {
    const body = paths['/identity-providers/{id}/targets']?.post?.requestBody?.content['application/json'];
    return Object.entries(body?.schema.properties.policy?.properties ?? {});
  },
});

export function policyOf(policy: PolicyAnswer | undefined): PolicyDraft {
  const entries = Object.entries(policy ?? {}).map(([key, value]) => [
    key,
    Array.isArray(value) ? value : String(value),
  ]);
  return Object.fromEntries(entries);
}

/** Blank becomes null: back to the usual. */
export function toPolicy(draft: PolicyDraft): Record<string, string | number | boolean | string[] | null> {
  const entries = Object.entries(draft).map(([key, value]) => {
    if (value === '' || value.length === 0) return [key, null];
    if (Array.isArray(value)) return [key, value];
    if (value === 'true' || value === 'false') return [key, value === 'true'];
    return [key, /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value];
  });
  return Object.fromEntries(entries);
}

const wordOf = (key: string) => {
  const words = key.replace(/([A-Z])/g, ' $1').toLowerCase();
  return `${words[0]!.toUpperCase()}${words.slice(1)}`.replace(/ ms$/, ' (ms)');
};

export function PolicyFields(props: {
  draft: PolicyDraft;
  change: (draft: PolicyDraft) => void;
  error: Error | null;
  disabled: boolean;
}) {
  const { draft, change, error, disabled } = props;
  const fields = useQuery(policyQuery);
  return (
    <Shown query={fields} rows={4}>
      {(known) => (
        <>
          <div className="form">
            {known.map(([key, field]) => (
              <PolicyField
                key={key}
                name={key}
                field={field}
                value={draft[key] ?? ''}
                set={(value) => change({ ...draft, [key]: value })}
                error={errorOf(error, `policy.${key}`, wordOf(key))}
                disabled={disabled}
              />
            ))}
          </div>
          <Refusal
            error={error && /^policy\b/.test((error as { field?: string }).field ?? '') ? error : null}
            fields={known.map(([key]) => `policy.${key}`)}
          />
        </>
      )}
    </Shown>
  );
}

function PolicyField(props: {
  name: string;
  field: Field;
  value: string | string[];
  set: (value: string | string[]) => void;
  error: string | undefined;
  disabled: boolean;
}) {
  const { name, field, value, set, error, disabled } = props;
  const shared = { label: wordOf(name), description: field.description, error, disabled };
  const usual = field.default === undefined ? '' : String(field.default);
  const choices = field.enum ?? (field.type === 'boolean' ? ['true', 'false'] : undefined);
  if (choices) {
    return (
      <NativeSelect
        {...shared}
        data={[
          { value: '', label: usual === '' ? '' : `As usual: ${usual}` },
          ...choices.map((one) => ({ value: one, label: one })),
        ]}
        value={String(value)}
        onChange={(event) => set(event.currentTarget.value)}
      />
    );
  }
  if (field.type === 'array') {
    return <TagsInput {...shared} value={Array.isArray(value) ? value : []} onChange={set} />;
  }
  const isNumber = field.type === 'integer' || field.type === 'number';
  return (
    <TextInput
      {...shared}
      {...(isNumber ? { inputMode: 'decimal' as const } : {})}
      placeholder={usual}
      value={String(value)}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => set(event.currentTarget.value)}
    />
  );
}
