import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { AccountDetail, PreviewAnswer } from '../../src/contract/account.ts';
import type { AttemptDetail } from '../../src/contract/attempt.ts';
import { lookOf, lookOfOutcome, OutcomeTag, stateOf } from '../parts/state.tsx';
import { Step } from '../parts/step.tsx';
import { Table } from '../parts/table.tsx';
import { Ago } from '../parts/time.tsx';
import { doorWord, plural, sentence, showExact } from '../parts/words.ts';
import { Decided } from './decide.tsx';
import { Exchanges } from './exchange.tsx';

/** From the change to what comes next: each step one sentence, opened to its evidence. */
export function Walk(props: { account: AccountDetail; preview: PreviewAnswer | undefined; trouble: Error | null }) {
  const { account, preview, trouble } = props;
  const [latest, ...earlier] = account.attempts;
  const decided = <Decided decisions={account.decisions} />;
  const isLater = latest !== undefined && (account.decisions[0]?.at ?? '') > latest.startedAt;
  return (
    <ol className="walk">
      <Change account={account} />
      <Rule account={account} preview={preview} />
      <Mapping preview={preview} trouble={trouble} />
      {earlier.length > 0 && <Earlier attempts={earlier.toReversed()} />}
      {!isLater && decided}
      {latest ? <Attempt attempt={latest} open={latest.outcome !== 'done'} /> : <Nothing />}
      {isLater && decided}
      <Next account={account} />
    </ol>
  );
}

function Change({ account }: { account: AccountDetail }) {
  const { why, subject } = account;
  const { since } = why;
  return (
    <Step
      name="Change"
      icon="changes"
      tone={why.inScope && why.binding === 'enabled' ? 'teal' : 'grey'}
      sentence={`Let in by ${why.sentence}`}
      beside={
        since && (
          <span className="muted">
            <Ago time={since.at} />
          </span>
        )
      }
    >
      <p style={{ margin: 0 }}>
        {since ? (
          <>
            Change{' '}
            <Link to="/changes" search={{ after: since.seq - 1, subject: undefined }}>
              {since.seq}
            </Link>{' '}
            by {since.actor} through {doorWord(since.door)}, for {why.serviceProvider}.{' '}
          </>
        ) : (
          'The change that let it in is older than the log. '
        )}
        {why.binding === 'enabled'
          ? `${why.fallsBackTo === null ? why.serviceProvider : `${why.serviceProvider} has no bindings of its own and falls back to ${why.fallsBackTo}, which`} is bound to ${account.target}.${why.atSignIn ? ' It spoke at sign-ins only, so the binding counts while Enable JIT is on.' : ''}`
          : `The binding of ${why.serviceProvider} to ${account.target} is ${why.binding}.`}{' '}
        {why.inScope ? '' : `By the target’s scope, ${subject.name} may not be there. `}
        {why.heldBy.length > 1 && `It is held there by ${why.heldBy.join(', ')}.`}
      </p>
    </Step>
  );
}

function Rule({ account, preview }: { account: AccountDetail; preview: PreviewAnswer | undefined }) {
  const said = account.attempts.find((attempt) => attempt.rule !== null);
  const rule = preview?.rule ?? null;
  if (!rule && !said) {
    return (
      <Step
        name="Rule"
        icon="rules"
        tone="grey"
        sentence="No rule is asked: no binding that concerns it has rules on."
      />
    );
  }
  const tone =
    rule?.action === 'let-through' ? 'teal' : rule?.action === 'withhold' ? 'grey' : rule ? 'orange' : 'teal';
  const verb = { 'let-through': 'Let through', withhold: 'Withheld', park: 'Cannot be decided' }[
    rule?.action ?? 'let-through'
  ];
  return (
    <Step
      name="Rule"
      icon={rule?.action === 'withhold' ? 'hand' : 'rules'}
      tone={tone}
      sentence={rule ? `${verb}: ${rule.reason}` : `At the last delivery: ${said?.rule}`}
    >
      {rule && (
        <p style={{ margin: 0 }}>
          Asked now. {rule.readsClock && 'It looks at the clock: at another time the answer may differ.'}{' '}
          <RuleLinks names={rule.policies} account={account} />
        </p>
      )}
      {said && (
        <p style={{ margin: '4px 0 0' }}>
          At the delivery <Ago time={said.startedAt} />: {said.rule}
        </p>
      )}
    </Step>
  );
}

/** The policies that decided, each to be tried with this account. */
function RuleLinks({ names, account }: { names: readonly string[]; account: AccountDetail }) {
  return names.map((name) => (
    <span key={name}>
      <Link to="/rules/$id" params={{ id: name }}>
        Open {name}
      </Link>
      {', '}
      <Link
        to="/rules/$id"
        params={{ id: name }}
        search={{ view: 'try', subject: account.subject.name, target: account.target }}
      >
        or try it with {account.subject.name}
      </Link>
      .{' '}
    </span>
  ));
}

const doings: Record<PreviewAnswer['operation'], string> = {
  create: 'An attempt now would create the account there',
  find: 'An attempt now would look for the group there, and make none',
  update: 'An attempt now would change the account there',
  remove: 'An attempt now would end the account there, as the policy of the target says',
  nothing: 'There is nothing to send: the target has confirmed all of it',
  none: 'Nothing is sent, and nothing removed: nobody lets it in',
};

/** Also the preview: what would be sent, marked as not sent. */
function Mapping({ preview, trouble }: { preview: PreviewAnswer | undefined; trouble: Error | null }) {
  if (!preview) {
    return <Step name="Mapping" icon="link" tone="grey" sentence={trouble ? trouble.message : 'Looking …'} />;
  }
  const { operation, mapping, set, unset } = preview;
  const differs = operation === 'create' || operation === 'update';
  const sentence = differs
    ? `${doings[operation]}: ${plural(set.length, 'value')} to set${unset.length > 0 ? `, ${unset.length} to clear` : ''}`
    : doings[operation];
  const rows = [
    ...mapping.map((row) => ({ ...row, is: set.includes(row.to) ? 'to be set' : asThere })),
    ...unset.map((to) => ({ to, from: '', value: undefined, is: 'to be cleared' })),
  ];
  return (
    <Step
      name="Mapping"
      icon="link"
      tone={differs ? 'blue' : 'teal'}
      sentence={sentence}
      beside={<span className="state tone-grey">preview, not sent</span>}
    >
      {rows.length > 0 && (
        <Table
          label="Values and where they come from"
          rows={rows}
          keyOf={(row) => row.to}
          columns={[
            {
              head: 'At the target',
              cell: (row) => (
                <div className="mono clip" title={row.to}>
                  {shorten(row.to)}
                </div>
              ),
            },
            {
              head: 'Value',
              cell: (row) => (
                <div className="clip" title={show(row.value)}>
                  {show(row.value)}
                </div>
              ),
            },
            {
              head: 'From',
              on: 'wide',
              cell: (row) => (
                <div className="mono clip muted" title={row.from}>
                  {sourceOf(row.from)}
                </div>
              ),
            },
            {
              head: 'Is',
              // Where all is alike it tells nothing that the sentence above does not.
              ...(rows.every((row) => row.is === asThere) ? { on: 'wide' } : {}),
              cell: (row) => <span className={row.is === asThere ? 'muted' : ''}>{row.is}</span>,
            },
          ]}
        />
      )}
    </Step>
  );
}

const asThere = 'as it is there';
const shorten = (path: string) => path.replace(/^urn:.*:(?=[^:]+$)/, '… ');
const sourceOf = (from: string) =>
  from === '$name' ? 'the name' : from === '$id' ? 'the id' : from === 'otherwise' ? 'the usual value' : shorten(from);
const show = (value: unknown) =>
  value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);

function Earlier({ attempts }: { attempts: readonly AttemptDetail[] }) {
  return (
    <Step
      name="Before"
      icon="clock"
      tone="grey"
      sentence={`${plural(attempts.length, 'earlier attempt')} of the last five`}
    >
      <div className="stack tight">
        {attempts.map((attempt) => (
          <div key={attempt.id} className="row wrap">
            <OutcomeTag outcome={attempt.outcome} />
            <span className="grow">{describe(attempt)}</span>
            <Link to="/deliveries/$id" params={{ id: String(attempt.id) }}>
              <Ago time={attempt.startedAt} />
            </Link>
          </div>
        ))}
      </div>
    </Step>
  );
}

const verbs: Record<string, string> = {
  create: 'Create',
  update: 'Update',
  remove: 'Remove',
  delete: 'Remove',
  disable: 'Disable',
  find: 'Look for it there',
  read: 'Read it there',
  members: 'Members',
  password: 'Password',
};

export function describe(attempt: Pick<AttemptDetail, 'operation' | 'outcome' | 'reason'>): string {
  // Nothing was sent: it had come no further, or there was no need.
  if (attempt.operation === 'none') return attempt.reason ? sentence(attempt.reason) : 'Nothing had to be sent';
  const what = verbs[attempt.operation ?? ''] ?? attempt.operation ?? 'Under way';
  return attempt.reason ? `${what}: ${attempt.reason}` : what;
}

function Attempt({ attempt, open }: { attempt: AttemptDetail; open: boolean }) {
  const look = lookOfOutcome(attempt.outcome);
  const last = attempt.exchanges.at(-1);
  const answered = last?.status != null ? `The target answered ${last.status}` : last?.error;
  return (
    <Step
      name="Attempt"
      icon={look.icon}
      tone={look.tone}
      open={open}
      sentence={`${describe(attempt)}${!attempt.reason && answered ? `. ${answered}` : ''}`}
      beside={
        <>
          <OutcomeTag outcome={attempt.outcome} />
          <span className="muted" title={showExact(attempt.startedAt)}>
            <Ago time={attempt.startedAt} />
          </span>
        </>
      }
    >
      <Exchanges exchanges={attempt.exchanges} />
    </Step>
  );
}

function Nothing() {
  return <Step name="Attempt" icon="minus" tone="grey" sentence="Nothing was tried yet, or it is no longer kept." />;
}

function Next({ account }: { account: AccountDetail }) {
  const state = stateOf(account);
  const look = lookOf(state);
  const { waitsBehind, dueAt, reason, due } = account;
  let sentence: ReactNode;
  if (waitsBehind) sentence = `It waits: ${waitsBehind}`;
  else if (account.waitsFor) sentence = `It waits until ${account.waitsFor.name} has given up the name.`;
  else if (due && dueAt) {
    sentence = (
      <>
        It is tried <Ago time={dueAt} />
        {reason && `: ${reason}`}.
      </>
    );
  } else if (account.left) {
    sentence = `It stays parked, as ${account.left.by} left it. It is tried again when somebody says so, and when the person, the rules or the settings change.`;
  } else if (state === 'parked') {
    sentence = `It stays parked${account.conflict?.adoptable ? ' until somebody decides' : reason ? `: ${reason}` : ''}. It is tried again when somebody says so, and when the person, the rules or the settings change.`;
  } else if (state === 'done') sentence = 'Nothing is due: the target agrees.';
  else sentence = reason ?? look.says;
  return <Step name="Next" icon={look.icon} tone={look.tone} sentence={sentence} />;
}
