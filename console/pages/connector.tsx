import { Button, Checkbox, NativeSelect, PasswordInput, Switch, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { ConnectorKindAnswer, SettingAnswer } from '../../src/contract/connector-kind.ts';
import type { TargetAnswer, TestAnswer } from '../../src/contract/target.ts';
import { ApiError, call } from '../api/client.ts';
import { Act, useSay } from '../parts/act.tsx';
import { errorOf, Form, Refusal } from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { Fold, Note } from '../parts/page.tsx';
import { useMay } from '../parts/role.tsx';
import { StateTag } from '../parts/state.tsx';
import { Ago } from '../parts/time.tsx';
import { describeEffect, EffectLine, isGrave, sendsSomething, useConfirmedSave, useForeseen } from './effect.tsx';
import { type PolicyDraft, PolicyFields, policyOf, toPolicy } from './policy-fields.tsx';

type Value = string | boolean;

export type ConnectorDraft = {
  enabled: boolean;
  /** Secrets as they are typed; blank: as it was. */
  settings: Record<string, Value>;
  policy: PolicyDraft;
};

export function draftOf(kind: ConnectorKindAnswer, target?: TargetAnswer): ConnectorDraft {
  const settings = kind.settings.map(({ key, type, default: usual }): [string, Value] => {
    const saved = target?.settings[key];
    if (type === 'secret') return [key, ''];
    if (type === 'boolean') return [key, Boolean(saved ?? usual ?? false)];
    // What a target leaves out is as usual, and stays left out: only what is changed is sent.
    return [key, String(saved ?? usual ?? '')];
  });
  return { enabled: target?.enabled ?? true, settings: Object.fromEntries(settings), policy: policyOf(target?.policy) };
}

/**
 * What the API takes: all of a new target; of one that is there what differs, so that what it has by a profile or as
 * usual is not fixed by saving something else. Blank secrets stay as they are.
 */
export function toInput(kind: ConnectorKindAnswer, draft: ConnectorDraft, target?: TargetAnswer) {
  const from = target && draftOf(kind, target);
  const settings: Record<string, string | boolean | number | null> = {};
  for (const setting of kind.settings) {
    const { key, type } = setting;
    const value = draft.settings[key];
    if (!isShown(kind, draft, setting) || (from && from.settings[key] === value)) continue;
    if (value === '' || value === undefined) {
      if (from) settings[key] = null;
    } else settings[key] = type === 'number' ? Number(value) : value;
  }
  const policy = Object.entries(toPolicy(draft.policy)).filter(([key, value]) => {
    return from ? JSON.stringify(from.policy[key]) !== JSON.stringify(draft.policy[key]) : value !== null;
  });
  return { enabled: draft.enabled, settings, policy: Object.fromEntries(policy) };
}

function isShown(kind: ConnectorKindAnswer, draft: ConnectorDraft, { when }: SettingAnswer): boolean {
  if (when === undefined) return true;
  const on = kind.settings.find((one) => one.key === when.key);
  if (on && !isShown(kind, draft, on)) return false;
  return when.in.includes(draft.settings[when.key] as string);
}

/** The form of a connector, as its kind describes it: kinds and settings that are added later appear here by themselves. */
export function ConnectorFields(props: {
  kind: ConnectorKindAnswer;
  draft: ConnectorDraft;
  change: (draft: ConnectorDraft) => void;
  error: Error | null;
  disabled: boolean;
  target?: TargetAnswer | undefined;
}) {
  const { kind, draft, change, error, disabled, target } = props;
  const [isOpened, setOpened] = useState(false);
  const set = (key: string, value: Value) => change({ ...draft, settings: { ...draft.settings, [key]: value } });
  const shown = kind.settings.filter((setting) => isShown(kind, draft, setting));
  return (
    <div className="stack">
      <Checkbox
        label="Enable Connector"
        checked={draft.enabled}
        disabled={disabled}
        onChange={(event) => change({ ...draft, enabled: event.currentTarget.checked })}
      />
      <div className="form">
        {shown.map((setting) => (
          <Field
            key={setting.key}
            setting={setting}
            value={draft.settings[setting.key] ?? ''}
            set={(value) => set(setting.key, value)}
            error={errorOf(error, `settings.${setting.key}`, setting.label)}
            disabled={disabled}
            kept={secretOf(target, setting.key)}
          />
        ))}
      </div>
      <details className="more" onToggle={() => setOpened(true)}>
        <summary>
          <Icon name="chevron" size={14} />
          Limits, scope and what becomes of leavers
        </summary>
        {/* Drawn from the description of the whole API, which is long: it is read when somebody looks. */}
        {isOpened && (
          <div style={{ paddingTop: 16 }}>
            <PolicyFields
              draft={draft.policy}
              change={(policy) => change({ ...draft, policy })}
              error={error}
              disabled={disabled}
            />
          </div>
        )}
      </details>
      <Refusal error={error} fields={shown.map(({ key }) => `settings.${key}`)} />
      <Test kind={kind} draft={draft} target={target} disabled={disabled} />
    </div>
  );
}

function Field(props: {
  setting: SettingAnswer;
  value: Value;
  set: (value: Value) => void;
  error: string | undefined;
  disabled: boolean;
  /** Of a secret that is set: since when. */
  kept: { since: string | null } | undefined;
}) {
  const { setting, value, set, error, disabled, kept } = props;
  const { label, help, type, required } = setting;
  const shared = { label, description: help, error, disabled };
  switch (type) {
    case 'boolean':
      return <Switch {...shared} checked={value === true} onChange={(event) => set(event.currentTarget.checked)} />;
    case 'choice':
      return (
        <NativeSelect
          {...shared}
          data={[...(required ? [] : [{ value: '', label: '' }]), ...(setting.options ?? [])]}
          value={String(value)}
          onChange={(event) => set(event.currentTarget.value)}
        />
      );
    case 'secret':
      return (
        <PasswordInput
          {...shared}
          required={required && !kept}
          description={kept ? <Kept since={kept.since} help={help} /> : help}
          placeholder={kept ? 'Replace it' : ''}
          autoComplete="new-password"
          value={String(value)}
          onChange={(event) => set(event.currentTarget.value)}
        />
      );
    default:
      if (setting.multiline) {
        return (
          <Textarea
            {...shared}
            className="whole"
            required={required}
            autosize
            minRows={3}
            maxRows={14}
            spellCheck={false}
            value={String(value)}
            onChange={(event) => set(event.currentTarget.value)}
          />
        );
      }
      return (
        <TextInput
          {...shared}
          required={required}
          type={type === 'number' ? 'number' : 'text'}
          autoComplete="off"
          spellCheck={false}
          value={String(value)}
          onChange={(event) => set(event.currentTarget.value)}
        />
      );
  }
}

function secretOf(target: TargetAnswer | undefined, key: string) {
  const value = target?.settings[key];
  return typeof value === 'object' ? value : undefined;
}

function Kept({ since, help }: { since: string | null; help: string | undefined }) {
  return (
    <>
      {since === null ? (
        'Set'
      ) : (
        <>
          Set <Ago time={since} />
        </>
      )}
      , and never shown. Leave it blank to keep it, or replace it.
      {help && ` ${help}`}
    </>
  );
}

/** *Test connection*, before saving too: with what is in the form. It changes nothing at the target. */
function Test(props: {
  kind: ConnectorKindAnswer;
  draft: ConnectorDraft;
  target?: TargetAnswer | undefined;
  disabled: boolean;
}) {
  const { kind, draft, target, disabled } = props;
  const test = useMutation({
    mutationFn: () => {
      const { settings } = toInput(kind, draft, target);
      return target
        ? call<TestAnswer>('POST', `/targets/${target.id}/test`, { body: { settings } })
        : call<TestAnswer>('POST', '/targets/test', { body: { type: kind.type, settings } });
    },
  });
  return (
    <div>
      <Button
        variant="default"
        leftSection={<Icon name="plug" size={16} />}
        loading={test.isPending}
        disabled={disabled}
        onClick={() => test.mutate()}
      >
        Test connection
      </Button>
      <div role="status" aria-live="polite">
        {test.error && (
          <div style={{ marginTop: 12 }}>
            <Note tone="orange" icon="warning">
              {test.error.message}
            </Note>
          </div>
        )}
        {test.data && <TestSteps answer={test.data} />}
      </div>
    </div>
  );
}

export function TestSteps({ answer }: { answer: TestAnswer }) {
  return (
    <ul className="steps" aria-label={answer.ok ? 'The connection works' : 'The connection does not work'}>
      {answer.steps.map(({ step, ok, skipped, reason }) => (
        <li key={step}>
          <span className={skipped ? 'muted' : ok ? 'text-teal' : 'text-orange'}>
            <Icon name={skipped ? 'minus' : ok ? 'check' : 'warning'} />
          </span>
          <strong>
            {step}
            <span className="unseen">{skipped ? ', skipped' : ok ? ', works' : ', does not work'}</span>
          </strong>
          <span className={ok || skipped ? 'muted' : ''}>{reason}</span>
        </li>
      ))}
    </ul>
  );
}

/** A connector of an identity provider that is there. */
export function TargetForm(props: { kind: ConnectorKindAnswer; idpId: number; target: TargetAnswer | undefined }) {
  const { kind, idpId, target } = props;
  const client = useQueryClient();
  const say = useSay();
  const { administer, operate } = useMay();
  /** As the form knows it: what others save meanwhile is followed while nothing is changed, and never taken back. */
  const [base, setBase] = useState(target);
  const from = { ...draftOf(kind, base), ...(base ? {} : { enabled: false }) };
  const [draft, setDraft] = useState(from);
  const isDirty = JSON.stringify(from) !== JSON.stringify(draft);
  const begin = (saved: TargetAnswer | undefined) => {
    setBase(saved);
    setDraft({ ...draftOf(kind, saved), ...(saved ? {} : { enabled: false }) });
  };
  if (target?.version !== base?.version && !isDirty) begin(target);
  const save = useMutation({
    mutationFn: (sameSystem: boolean) => {
      if (!target)
        return call<TargetAnswer>('POST', `/identity-providers/${idpId}/targets`, {
          body: { type: kind.type, ...input },
        });
      // Whoever leaves a policy blank wants it gone, which a null says.
      const query = sameSystem ? { query: { sameSystem: true } } : {};
      return call<TargetAnswer>('PATCH', `/targets/${target.id}`, { body: input, ...query });
    },
    onSuccess: async (saved) => {
      say(`${saved.name} is saved.`);
      begin(saved);
      await client.invalidateQueries();
    },
  });
  const input = toInput(kind, draft, base);
  const tryIt = (sameSystem: boolean) =>
    call<TargetAnswer>('PATCH', `/targets/${target?.id}`, {
      body: input,
      query: { dryRun: true, ...(sameSystem ? { sameSystem } : {}) },
    });
  const confirmed = useConfirmedSave({
    title: `Update ${target?.name}?`,
    word: 'Update',
    foresee: async (sameSystem: boolean) => {
      if (!target) return undefined;
      const { effect } = await tryIt(sameSystem);
      return effect && sendsSomething(effect) ? describeEffect(effect) : undefined;
    },
    save: save.mutate,
  });
  const error = confirmed.error ?? save.error;
  const foreseen = useForeseen([target?.id, input], isDirty && administer && target !== undefined, () => tryIt(false));
  const asksForSystem = error instanceof ApiError && /same system\?/.test(error.message);
  return (
    <Fold
      title={`${kind.label} Provisioning Configuration`}
      open={target !== undefined}
      beside={
        target &&
        (target.paused ? (
          <StateTag state="paused" />
        ) : target.enabled ? (
          <span className="muted small">enabled</span>
        ) : (
          <StateTag state="off" />
        ))
      }
    >
      <Form
        submit={() => confirmed.submit(false)}
        word={target ? 'Update' : 'Register'}
        busy={save.isPending || confirmed.busy}
        isDirty={isDirty}
        hidden={!administer}
        beside={
          target && (
            <>
              {operate && <PauseButton target={target} />}
              <Link to="/targets/$target" params={{ target: target.name }}>
                Accounts and sync
              </Link>
            </>
          )
        }
      >
        <ConnectorFields
          kind={kind}
          draft={draft}
          change={setDraft}
          error={error}
          disabled={!administer}
          target={target}
        />
        {asksForSystem && (
          <Button variant="default" style={{ marginTop: 12 }} onClick={() => confirmed.submit(true)}>
            It is the same system: keep its accounts
          </Button>
        )}
        {foreseen?.effect && (
          <EffectLine isGrave={isGrave(foreseen.effect)}>{describeEffect(foreseen.effect)}</EffectLine>
        )}
        {confirmed.modal}
      </Form>
    </Fold>
  );
}

export function PauseButton({ target }: { target: Pick<TargetAnswer, 'id' | 'name' | 'paused' | 'waiting'> }) {
  const isPaused = target.paused !== null;
  return (
    <Act
      word={isPaused ? 'Resume' : 'Pause'}
      icon={isPaused ? 'play' : 'pause'}
      act={() => call('POST', `/targets/${target.id}/${isPaused ? 'resume' : 'pause'}`)}
      stale={['targets', 'status', 'account']}
      says={isPaused ? `${target.name} goes on.` : `${target.name} is paused. What happens meanwhile waits.`}
    />
  );
}
