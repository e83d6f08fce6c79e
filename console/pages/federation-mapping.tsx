import { ActionIcon, Button, TextInput } from '@mantine/core';
import type { FederationAnswer } from '../../src/contract/federation.ts';
import { errorOf, TextField, useDraft } from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { FederationSection } from './federation-section.tsx';

type Row = Record<string, string>;
type Column = { name: string; label: string; placeholder?: string };

/** Rows of texts that are added and taken away. `field`: what the API calls the list. */
function MappingRows(props: {
  rows: readonly Row[];
  set: (rows: Row[]) => void;
  columns: readonly Column[];
  field: string;
  word: string;
  error: Error | null;
  disabled: boolean;
}) {
  const { rows, set, columns, field, word, error, disabled } = props;
  return (
    <div className="stack tight whole">
      {/* Each field is called by its own column; this is for the eye. */}
      {rows.length > 0 && (
        <div className="row small hide-narrow" aria-hidden="true">
          {columns.map(({ name, label }) => (
            <strong key={name} className="grow">
              {label}
            </strong>
          ))}
          {!disabled && <span style={{ width: 36 }} />}
        </div>
      )}
      {rows.map((row, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place in the list
        <div key={at} className="row wrap" style={{ alignItems: 'flex-start' }}>
          {columns.map(({ name, label, placeholder }) => (
            <TextInput
              key={name}
              className="grow"
              style={{ minWidth: 160 }}
              aria-label={`${label}, row ${at + 1}`}
              placeholder={placeholder ?? label}
              autoComplete="off"
              disabled={disabled}
              error={errorOf(error, `${field}[${at}].${name}`, label)}
              value={row[name] ?? ''}
              onChange={(event) => {
                const { value } = event.currentTarget;
                set(rows.map((one, n) => (n === at ? { ...one, [name]: value } : one)));
              }}
            />
          ))}
          {!disabled && (
            <ActionIcon
              size={36}
              variant="subtle"
              aria-label={`Remove row ${at + 1}`}
              onClick={() => set(rows.filter((_, n) => n !== at))}
            >
              <Icon name="trash" />
            </ActionIcon>
          )}
        </div>
      ))}
      {!disabled && (
        <div>
          <Button variant="default" leftSection={<Icon name="plus" size={16} />} onClick={() => set([...rows, {}])}>
            {word}
          </Button>
        </div>
      )}
    </div>
  );
}

const placesOf = (field: string, rows: readonly Row[], columns: readonly Column[]) =>
  rows.flatMap((_, at) => columns.map(({ name }) => `${field}[${at}].${name}`));

const claimColumns = [
  { name: 'remote', label: 'Identity Provider Claim URI', placeholder: 'given_name' },
  { name: 'local', label: 'Local Claim', placeholder: 'name.givenName' },
  { name: 'default', label: 'Default Value' },
];

export function ClaimConfiguration({ federation }: { federation: FederationAnswer }) {
  const { claims } = federation;
  const draft = useDraft<{ rows: Row[] }>({
    rows: claims.map(({ remote, local, default: fallback }) => ({ remote, local, default: fallback ?? '' })),
  });
  const { rows } = draft.values;
  return (
    <FederationSection
      title="Claim Configuration"
      isSet={claims.length > 0}
      federation={federation}
      draft={draft}
      fields={placesOf('claims', rows, claimColumns)}
      toInput={() => ({
        claims: rows.map((row) => ({
          remote: row.remote ?? '',
          local: row.local ?? '',
          default: row.default === '' || row.default === undefined ? null : row.default,
        })),
      })}
    >
      {({ error, disabled }) => (
        <>
          <p className="muted">
            Which claim becomes which attribute of the user here. Without rows the standard claims of OpenID Connect are
            taken: user name, names, e-mail address, language, time zone.
          </p>
          <MappingRows
            rows={rows}
            set={(next) => draft.set('rows', next)}
            columns={claimColumns}
            field="claims"
            word="Add Claim Mapping"
            error={error}
            disabled={disabled}
          />
        </>
      )}
    </FederationSection>
  );
}

const roleColumns = [
  { name: 'remote', label: 'Identity Provider Role', placeholder: 'staff' },
  { name: 'local', label: 'Local Group', placeholder: 'Partner staff' },
];

export function RoleConfiguration({ federation }: { federation: FederationAnswer }) {
  const { roles, roleClaim } = federation;
  const draft = useDraft<{ rows: Row[]; roleClaim: string }>({ rows: roles, roleClaim: roleClaim ?? '' });
  const { rows } = draft.values;
  return (
    <FederationSection
      title="Role Configuration"
      isSet={roles.length > 0 || roleClaim !== null}
      federation={federation}
      draft={draft}
      fields={['roleClaim', ...placesOf('roles', rows, roleColumns)]}
      toInput={(values) => ({
        roleClaim: values.roleClaim.trim() || null,
        roles: rows.map((row) => ({ remote: row.remote ?? '', local: row.local ?? '' })),
      })}
    >
      {(shared) => (
        <div className="form">
          <TextField {...shared} name="roleClaim" label="Role Claim URI" help="The claim that holds roles." />
          <p className="muted">
            Roles are groups here. With any row, roles without one are nothing here; without rows a role is the group of
            its name. No group is made.
          </p>
          <MappingRows
            rows={rows}
            set={(next) => draft.set('rows', next)}
            columns={roleColumns}
            field="roles"
            word="Add Role Mapping"
            error={shared.error}
            disabled={shared.disabled}
          />
        </div>
      )}
    </FederationSection>
  );
}
