import { ActionIcon, Checkbox, NativeSelect } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { BindingAnswer, BindingsChanged, ServiceProviderAnswer } from '../../src/contract/service-provider.ts';
import type { TargetAnswer } from '../../src/contract/target.ts';
import type { Offer } from '../../src/contract/wave.ts';
import { call } from '../api/client.ts';
import { targetsQuery } from '../api/queries.ts';
import { useSay } from '../parts/act.tsx';
import { Form, Refusal, useDraft } from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { Card, Empty, Note, Shown } from '../parts/page.tsx';
import { useMay } from '../parts/role.tsx';
import { describeEffect, EffectLine, isGrave, sendsSomething, useConfirmedSave, useForeseen } from './effect.tsx';
import { Offers, whoOf } from './offers.tsx';

/** A binding as a row of the form: an identity provider, and which of its connectors. */
type Row = Pick<BindingAnswer, 'blocking' | 'onFailure' | 'rules' | 'jit' | 'enabled'> & { idp: string; type: string };

const idpOf = (target: string) => target.slice(0, target.lastIndexOf(':'));
const typeOf = (target: string) => target.slice(target.lastIndexOf(':') + 1);
const rowOf = ({ target, blocking, onFailure, rules, jit, enabled }: BindingAnswer): Row => {
  return { idp: idpOf(target), type: typeOf(target), blocking, onFailure, rules, jit, enabled };
};

export function Bindings({ provider }: { provider: ServiceProviderAnswer }) {
  const targets = useQuery(targetsQuery);
  return (
    <Card title="Outbound Provisioning Configuration">
      <Shown query={targets} rows={3}>
        {({ items }) => <BindingsForm provider={provider} targets={items} />}
      </Shown>
    </Card>
  );
}

function BindingsForm({ provider, targets }: { provider: ServiceProviderAnswer; targets: readonly TargetAnswer[] }) {
  const client = useQueryClient();
  const say = useSay();
  const { administer } = useMay();
  const draft = useDraft({ rows: provider.bindings.map(rowOf) });
  const { rows } = draft.values;
  const [offers, setOffers] = useState<readonly Offer[]>([]);
  const idps = [...new Set(targets.map((target) => target.identityProvider.name))];
  const [chosen, setChosen] = useState(idps[0] ?? '');
  const bindings = rows.map(({ idp, type, ...rest }) => {
    return { target: `${idp}:${type}`, ...rest, onFailure: rest.blocking ? rest.onFailure : 'report' };
  });
  const put = (query: { dryRun?: true }) =>
    call<BindingsChanged>('PUT', `/service-providers/${provider.id}/bindings`, { body: { bindings }, query });
  const save = useMutation({
    mutationFn: () => put({}),
    onSuccess: async (saved) => {
      setOffers(saved.offers);
      draft.settle({ rows: saved.bindings.map(rowOf) });
      say('The outbound provisioning configuration is updated.');
      // The provider itself is read again when the offers have been answered: reading it would take them away.
      await Promise.all(['status', 'targets', 'accounts'].map((key) => client.invalidateQueries({ queryKey: [key] })));
    },
  });
  const confirmed = useConfirmedSave({
    title: `Update ${provider.name}?`,
    word: 'Update',
    foresee: async (_: undefined) => {
      const { effects = [] } = await put({ dryRun: true });
      return effects.some(sendsSomething) ? <Effects effects={effects} offers={[]} /> : undefined;
    },
    save: () => save.mutate(),
  });
  const foreseen = useForeseen([provider.id, bindings], draft.isDirty && administer, () => put({ dryRun: true }));
  /** Enabled connectors of an identity provider, and whichever is chosen already. */
  const typesOf = (idp: string, own?: string) =>
    targets
      .filter(
        (one) =>
          one.identityProvider.name === idp && ((one.enabled && one.identityProvider.enabled) || one.type === own),
      )
      .map(({ type }) => type);
  const set = (at: number, change: Partial<Row>) =>
    draft.set(
      'rows',
      rows.map((row, n) => (n === at ? { ...row, ...change } : row)),
    );
  const free = (idp: string) => typesOf(idp).find((type) => !rows.some((row) => row.idp === idp && row.type === type));
  const add = () => {
    const type = free(chosen);
    if (type === undefined) {
      say(`Every enabled connector of ${chosen} is in the list already.`, 'orange');
      return;
    }
    const fresh: Row = {
      idp: chosen,
      type,
      blocking: false,
      onFailure: 'report',
      rules: false,
      jit: false,
      enabled: true,
    };
    draft.set('rows', [...rows, fresh]);
  };
  return (
    <>
      <Form
        submit={() => confirmed.submit(undefined)}
        word="Update"
        busy={save.isPending || confirmed.busy}
        isDirty={draft.isDirty}
        hidden={!administer}
      >
        {administer && (
          <div className="row" style={{ alignItems: 'flex-end', marginBottom: 16 }}>
            <NativeSelect
              label="Identity provider"
              data={idps}
              value={chosen}
              disabled={idps.length === 0}
              onChange={(event) => setChosen(event.currentTarget.value)}
              style={{ minWidth: 220 }}
            />
            <ActionIcon
              size={36}
              variant="default"
              aria-label="Add this identity provider"
              disabled={idps.length === 0}
              onClick={add}
            >
              <Icon name="plus" />
            </ActionIcon>
          </div>
        )}
        {idps.length === 0 && (
          <Note tone="blue" icon="provider">
            There is no identity provider with a connector yet.{' '}
            <Link to="/identity-providers/add">Add an identity provider</Link>
          </Note>
        )}
        {rows.length === 0
          ? idps.length > 0 && (
              <Empty icon="plug" title="Nothing is sent for it">
                Choose an identity provider, press the plus sign, and update.
              </Empty>
            )
          : rows.map((row, at) => (
              <BindingRow
                // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place in the list
                key={at}
                row={row}
                types={typesOf(row.idp, row.type)}
                isResident={provider.resident}
                disabled={!administer}
                set={(change) => set(at, change)}
                remove={() =>
                  draft.set(
                    'rows',
                    rows.filter((_, n) => n !== at),
                  )
                }
              />
            ))}
        <Refusal error={confirmed.error ?? save.error} fields={[]} />
        {foreseen && (foreseen.effects?.length ?? 0) > 0 && (
          <EffectLine isGrave={foreseen.effects?.some(isGrave) ?? false}>
            <Effects effects={foreseen.effects ?? []} offers={foreseen.offers} />
          </EffectLine>
        )}
        {confirmed.modal}
      </Form>
      <Offers offers={offers} done={(offer) => setOffers((all) => all.filter((one) => one !== offer))} />
    </>
  );
}

function BindingRow(props: {
  row: Row;
  types: readonly string[];
  isResident: boolean;
  disabled: boolean;
  set: (change: Partial<Row>) => void;
  remove: () => void;
}) {
  const { row, types, isResident, disabled, set, remove } = props;
  const name = `${row.idp}, ${row.type}`;
  return (
    <fieldset className="binding">
      <legend className="unseen">{name}</legend>
      <strong className="clip">{row.idp}</strong>
      <NativeSelect
        aria-label={`Connector of ${row.idp}`}
        data={[...types]}
        value={row.type}
        disabled={disabled}
        onChange={(event) => set({ type: event.currentTarget.value })}
      />
      <div className="row wrap grow" style={{ gap: 16 }}>
        <Checkbox
          label="Blocking"
          title="Requests that change somebody wait until the target has it"
          checked={row.blocking}
          disabled={disabled}
          onChange={(event) => set({ blocking: event.currentTarget.checked })}
        />
        <Checkbox
          label="Enable Rules"
          title="Each operation is asked about first, by the policies in force"
          checked={row.rules}
          disabled={disabled}
          onChange={(event) => set({ rules: event.currentTarget.checked })}
        />
        {row.rules && (
          <Link to="/rules" className="small">
            See the rules
          </Link>
        )}
        {!isResident && (
          <Checkbox
            label="Enable JIT"
            title="Whoever comes by signing in to this application is sent there"
            checked={row.jit}
            disabled={disabled}
            onChange={(event) => set({ jit: event.currentTarget.checked })}
          />
        )}
        <Checkbox
          label="Enabled"
          checked={row.enabled}
          disabled={disabled}
          onChange={(event) => set({ enabled: event.currentTarget.checked })}
        />
        {row.blocking && (
          <NativeSelect
            aria-label={`When ${name} fails`}
            data={[
              { value: 'report', label: 'On failure: report it' },
              { value: 'fail', label: 'On failure: answer with an error' },
            ]}
            value={row.onFailure}
            disabled={disabled}
            onChange={(event) => set({ onFailure: event.currentTarget.value as Row['onFailure'] })}
          />
        )}
      </div>
      {!disabled && (
        <ActionIcon variant="subtle" color="gray" aria-label={`Take ${name} out of the list`} onClick={remove}>
          <Icon name="trash" />
        </ActionIcon>
      )}
    </fieldset>
  );
}

/** What a save would do at each target that it concerns, and whom it would let in there. */
function Effects({ effects, offers }: { effects: NonNullable<BindingsChanged['effects']>; offers: readonly Offer[] }) {
  return effects.map((effect) => {
    const offer = offers.find((one) => one.targetId === effect.targetId);
    return (
      <span key={effect.targetId} style={{ display: 'block' }}>
        {describeEffect(effect, effect.target)}
        {offer && ` A sync would send ${whoOf(offer)} there.`}
      </span>
    );
  });
}
