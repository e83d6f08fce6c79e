import { TextInput } from '@mantine/core';
import { useState } from 'react';
import type { AccountAnswer, AccountDetail, DecisionAnswer } from '../../src/contract/account.ts';
import { call, step } from '../api/client.ts';
import { Act } from '../parts/act.tsx';
import { Note } from '../parts/page.tsx';
import { For } from '../parts/role.tsx';
import { Step } from '../parts/step.tsx';
import { Ago } from '../parts/time.tsx';
import { plural } from '../parts/words.ts';

const stale = ['account', 'accounts', 'subject', 'status', 'causes'];
const pathOf = (account: AccountAnswer) => `/accounts/${step(account.target)}/${step(account.subject.id)}`;

/** What somebody has to say to an account that is parked, or has said. Nothing for all others. */
export function Decide({ account }: { account: AccountDetail }) {
  const { left, conflict, decisions, target } = account;
  const [latest] = decisions;
  if (latest?.what === 'adopt' && latest.ended === null) {
    return (
      <Note tone="blue" icon="clock">
        {latest.by} decided <Ago time={latest.at} /> to adopt {nameOf(latest)}. The next attempt does it, if it is still
        what it was.
      </Note>
    );
  }
  if (account.state !== 'parked' || account.due) return null;
  return (
    <Note tone={left ? 'grey' : 'orange'} icon="pause">
      <div className="stack tight">
        <strong>{left ? <LeftBy left={left} /> : question(account)}</strong>
        {left?.note && <span>“{left.note}”</span>}
        {conflict && !conflict.adoptable && <NotAdoptable account={account} />}
        {left && (
          <span className="muted">
            It is not among those to look at, until something about it changes: the person, the settings of {target}, or
            a retry.
          </span>
        )}
        <For need="operate">
          <div className="row wrap">
            {conflict?.adoptable &&
              conflict.remotes.map((remote) => <Adopt key={remote.remoteId} account={account} remote={remote} />)}
            {!left && <Leave account={account} />}
          </div>
        </For>
      </div>
    </Note>
  );
}

function LeftBy({ left }: { left: NonNullable<AccountAnswer['left']> }) {
  return (
    <>
      Left parked by {left.by}, <Ago time={left.at} />
    </>
  );
}

function question({ conflict, target, subject }: AccountDetail): string {
  if (!conflict) return `${subject.name} is parked at ${target}. Mend what it says and try again, or leave it parked?`;
  const what = subject.kind === 'user' ? 'an account' : 'a group';
  const names = [...new Set(conflict.remotes.map(({ name }) => name))].join(', ');
  const has =
    conflict.remotes.length > 1
      ? `${target} already has ${plural(conflict.remotes.length, subject.kind === 'user' ? 'account' : 'group')} named ${names}.`
      : `${target} already has ${what} named ${names}.`;
  return conflict.adoptable
    ? `${has} Adopt ${conflict.remotes.length > 1 ? 'one' : 'it'}, or leave it parked?`
    : `${has} Rename one of the two and try again, or leave it parked?`;
}

/** The account was to be renamed, and a stranger has the name: why that one cannot be adopted, and what helps instead. */
function NotAdoptable({ account }: { account: AccountDetail }) {
  const { subject, target, remoteId, conflict } = account;
  const what = subject.kind === 'user' ? 'account' : 'group';
  return (
    <span>
      {subject.name} keeps the {what} <span className="mono">{remoteId}</span> there. The other one (
      <span className="mono">{conflict?.remotes.map((one) => one.remoteId).join(', ')}</span>) is not offered for
      adoption: <span className="mono">{remoteId}</span> would be left behind, with all that is in it. Rename or remove
      the other one at {target}, then press <em>Again now</em>. If it is the other one that {subject.name} is to have,
      remove <span className="mono">{remoteId}</span> there and press <em>Again now</em>: then the other one can be
      adopted.
    </span>
  );
}

type Remote = { remoteId: string; name: string };

function Adopt({ account, remote }: { account: AccountDetail; remote: Remote }) {
  const many = (account.conflict?.remotes.length ?? 0) > 1;
  const { subject, target } = account;
  const isUser = subject.kind === 'user';
  return (
    <Act
      word={many ? `Adopt ${remote.remoteId}` : 'Adopt it'}
      icon="link"
      variant="filled"
      act={() => call<AccountAnswer>('POST', `${pathOf(account)}/adopt`, { body: { remoteId: remote.remoteId } })}
      stale={stale}
      says={`${remote.name} at ${target} is taken over with the next attempt.`}
      confirm={{
        title: `Adopt ${remote.name} at ${target}?`,
        says: (
          <>
            One {isUser ? 'account' : 'group'} there, with the id <span className="mono">{remote.remoteId}</span>,
            becomes that of {subject.name}: it is marked as such and brought in line with what is here.
            {isUser && ' It gets no password, and is not switched on by this.'} When {subject.name} goes, it is disabled
            there and not deleted, unless the policy of {target} says otherwise.
          </>
        ),
      }}
    />
  );
}

function Leave({ account }: { account: AccountDetail }) {
  const [note, setNote] = useState('');
  const { subject } = account;
  return (
    <>
      <Act
        word="Leave it parked"
        icon="pause"
        act={() => call<AccountAnswer>('POST', `${pathOf(account)}/leave`, { body: { note: note.trim() || null } })}
        stale={stale}
        says={`${subject.name} is left parked.`}
      />
      <TextInput
        aria-label="A note on leaving it parked"
        size="xs"
        placeholder="Note, if you like"
        maxLength={500}
        value={note}
        autoComplete="off"
        style={{ flex: '1 1 180px', maxWidth: 360 }}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
    </>
  );
}

function nameOf({ remoteId, remoteName }: DecisionAnswer) {
  return (
    <>
      {remoteName} (id <span className="mono">{remoteId}</span>)
    </>
  );
}

const endings: Record<NonNullable<DecisionAnswer['ended']>, string> = {
  used: 'It was done',
  'in vain': 'It could not be done',
  superseded: 'It was overtaken',
  over: 'It ended when something about the account changed',
};

/** What operators decided about the account: the latest in a sentence, and those before. */
export function Decided({ decisions }: { decisions: readonly DecisionAnswer[] }) {
  const [latest, ...earlier] = decisions;
  if (!latest) return null;
  return (
    <Step
      name="Decision"
      icon="hand"
      tone={latest.ended === 'used' ? 'teal' : latest.ended === 'in vain' ? 'orange' : 'grey'}
      sentence={<Sentence decision={latest} />}
      beside={
        <span className="muted">
          <Ago time={latest.at} />
        </span>
      }
    >
      {earlier.length > 0 && (
        <div className="stack tight">
          {earlier.map((one) => (
            <div key={one.at} className="row wrap">
              <span className="grow">
                <Sentence decision={one} />
              </span>
              <Ago time={one.at} />
            </div>
          ))}
        </div>
      )}
    </Step>
  );
}

function Sentence({ decision }: { decision: DecisionAnswer }) {
  const { what, by, note, ended, endedWhy } = decision;
  return (
    <>
      {by} decided {what === 'adopt' ? <>to adopt {nameOf(decision)}</> : 'to leave it parked'}
      {note && <>: “{note}”</>}. {ended === null ? 'It stands' : endings[ended]}
      {endedWhy && `: ${endedWhy}`}.
    </>
  );
}
