import { ActionIcon, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { domainsQuery } from '../api/queries.ts';
import { AttributeInput, GroupsInput, ValuesInput } from '../parts/choose.tsx';
import { Icon } from '../parts/icon.tsx';
import type { ConditionDraft } from './rule-draft.ts';

const abouts = [
  { value: 'group', label: 'Group or role' },
  { value: 'attribute', label: 'Attribute' },
  { value: 'domain', label: 'User store domain' },
  { value: 'kind', label: 'Kind' },
];

const tests: Record<'attribute' | 'group' | 'other', readonly { value: string; label: string }[]> = {
  attribute: [
    { value: 'one-of', label: 'is one of' },
    { value: 'none-of', label: 'is none of' },
    { value: 'starts-with', label: 'begins with' },
    { value: 'contains', label: 'contains' },
  ],
  group: [
    { value: 'one-of', label: 'in one of' },
    { value: 'none-of', label: 'in none of' },
  ],
  other: [
    { value: 'one-of', label: 'is' },
    { value: 'none-of', label: 'is not' },
  ],
};

/** One condition of a row. */
export function ConditionLine(props: {
  label: string;
  before: string | undefined;
  condition: ConditionDraft;
  faults: (field: string) => string | undefined;
  change: (more: Partial<ConditionDraft>) => void;
  remove: () => void;
  disabled: boolean;
}) {
  const { label, before, condition, faults, change, remove, disabled } = props;
  const { about, attribute, is, values } = condition;
  const choices = about === 'attribute' || about === 'group' ? tests[about] : tests.other;
  const shared = {
    'aria-label': `${label}, values`,
    values,
    set: (next: string[]) => change({ values: next }),
    error: faults('values'),
    disabled,
  };
  return (
    <div className={about === 'attribute' ? 'condition with-attribute' : 'condition'}>
      <span className="muted small">{before}</span>
      <NativeSelect
        aria-label={`${label}, about`}
        data={abouts}
        value={about}
        disabled={disabled}
        onChange={(event) =>
          change({ about: event.currentTarget.value as ConditionDraft['about'], is: 'one-of', values: [] })
        }
      />
      {about === 'attribute' && (
        <div className="attribute">
          <AttributeInput
            aria-label={`${label}, attribute`}
            value={attribute}
            set={(value) => change({ attribute: value })}
            error={faults('attribute')}
            disabled={disabled}
          />
        </div>
      )}
      <NativeSelect
        className="test"
        aria-label={`${label}, test`}
        data={[...choices]}
        value={is}
        disabled={disabled}
        onChange={(event) => change({ is: event.currentTarget.value as ConditionDraft['is'] })}
      />
      <div className="values">
        {about === 'group' && <GroupsInput {...shared} placeholder="Names of groups" />}
        {about === 'attribute' && <ValuesInput {...shared} placeholder="Values, each with Enter" />}
        {about === 'domain' && <Domains {...shared} />}
        {about === 'kind' && (
          <NativeSelect
            aria-label={shared['aria-label']}
            data={[
              { value: '', label: 'Choose' },
              { value: 'user', label: 'a user' },
              { value: 'group', label: 'a group' },
            ]}
            value={values[0] ?? ''}
            error={shared.error}
            disabled={disabled}
            onChange={(event) => shared.set(event.currentTarget.value === '' ? [] : [event.currentTarget.value])}
          />
        )}
      </div>
      {disabled ? (
        <span />
      ) : (
        <ActionIcon variant="subtle" color="gray" aria-label={`${label}, remove`} onClick={remove}>
          <Icon name="close" size={16} />
        </ActionIcon>
      )}
    </div>
  );
}

function Domains(props: Parameters<typeof ValuesInput>[0]) {
  const known = useQuery(domainsQuery).data?.items.map((one) => one.name) ?? [];
  return <ValuesInput {...props} known={known} placeholder="PRIMARY, SALES, …" />;
}
