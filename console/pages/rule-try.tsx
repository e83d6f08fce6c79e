import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import type { RulePolicyAnswer, TryRulesAnswer, TryRulesInput } from '../../src/contract/policy.ts';
import { serviceProvidersQuery, targetsQuery, triedRulesQuery } from '../api/queries.ts';
import { SubjectInput } from '../parts/choose.tsx';
import { errorOf } from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { Card, Empty, Facts, Loading, Note } from '../parts/page.tsx';
import { StateTag } from '../parts/state.tsx';
import { showExact } from '../parts/words.ts';
import { contentOf, type PolicyDraft } from './rule-draft.ts';
import type { RuleSearch, Turn } from './rule-search.ts';
import { Trace, type TraceNode } from './rule-trace.tsx';

const operations: Record<string, string> = { POST: 'create', PUT: 'change', PATCH: 'password', DELETE: 'remove' };
type Question = Record<'subject' | 'target' | 'operation' | 'sp' | 'at', string>;

/** What would become of somebody at a target, by this policy as it is here and all others. Nothing is sent. */
export function TryRule(props: {
  policy: RulePolicyAnswer | undefined;
  draft: PolicyDraft;
  isDirty: boolean;
  search: RuleSearch;
  turn: Turn;
}) {
  const { policy, draft, isDirty, search, turn } = props;
  const { subject, target } = search;
  const isAsked = subject !== undefined && target !== undefined;
  const question: TryRulesInput = {
    subject: subject ?? '',
    target: target ?? '',
    // It stands for the one it will replace, which has the name that is saved.
    draft: { name: policy?.name ?? (draft.name.trim() || 'new policy'), ...contentOf(draft) },
    ...(search.operation === undefined
      ? {}
      : { operation: search.operation as NonNullable<TryRulesInput['operation']> }),
    ...(search.sp === undefined ? {} : { serviceProvider: search.sp }),
    ...(search.at === undefined ? {} : { at: search.at }),
  };
  const tried = useQuery({ ...triedRulesQuery(question), enabled: isAsked });
  return (
    <div className="stack">
      <Card title="Try it">
        <Ask search={search} turn={turn} error={tried.error} again={() => void tried.refetch()} />
        <p className="muted small" style={{ margin: '12px 0 0' }}>
          Asked as if this policy{isDirty || !policy ? ', as it stands here,' : ''} were in force, together with all
          others that are. Nothing is sent, and nothing saved.
        </p>
      </Card>
      <div aria-live="polite">
        {!isAsked && (
          <Card>
            <Empty icon="search" title="Nothing asked yet">
              Choose somebody and a target.
            </Empty>
          </Card>
        )}
        {isAsked && tried.isFetching && !tried.data && <Loading rows={4} />}
        {tried.error && (
          <Note tone="orange" icon="warning">
            It cannot be asked: {tried.error.message}
          </Note>
        )}
        {tried.data && !tried.error && (
          <Answer answer={tried.data} subject={question.subject} target={String(question.target)} />
        )}
      </div>
    </div>
  );
}

function Ask(props: { search: RuleSearch; turn: Turn; error: Error | null; again: () => void }) {
  const { search, turn, error, again } = props;
  const targets = useQuery(targetsQuery).data?.items ?? [];
  const services = useQuery(serviceProvidersQuery).data?.items ?? [];
  const [question, setQuestion] = useState<Question>({
    subject: search.subject ?? '',
    target: search.target ?? '',
    operation: search.operation ?? '',
    sp: search.sp ?? '',
    at: search.at === undefined ? '' : toLocal(search.at),
  });
  const set = (key: keyof Question, value: string) => setQuestion((all) => ({ ...all, [key]: value }));
  const chosen = question.target || targets[0]?.name || '';
  const ask = (event: FormEvent) => {
    event.preventDefault();
    const asked = {
      subject: question.subject.trim() || undefined,
      target: chosen || undefined,
      operation: question.operation || undefined,
      sp: question.sp || undefined,
      at: question.at === '' ? undefined : new Date(question.at).toISOString(),
    };
    const isSame = Object.entries(asked).every(([key, value]) => search[key as keyof Question] === value);
    if (isSame) again();
    else turn(asked, true);
  };
  const select = (key: keyof Question, label: string, first: string, all: readonly (readonly [string, string])[]) => (
    <NativeSelect
      label={label}
      data={[{ value: '', label: first }, ...all.map(([value, word]) => ({ value, label: word }))]}
      value={question[key]}
      onChange={(event) => set(key, event.currentTarget.value)}
    />
  );
  return (
    <form onSubmit={ask} noValidate>
      <div className="ask">
        <SubjectInput
          label="Person or group"
          value={question.subject}
          set={(name) => set('subject', name)}
          error={errorOf(error, 'subject')}
        />
        <NativeSelect
          label="Target"
          data={targets.length === 0 ? [''] : targets.map((one) => one.name)}
          value={chosen}
          onChange={(event) => set('target', event.currentTarget.value)}
        />
        {select('operation', 'Operation', 'What would be sent now', [
          ['POST', 'Create'],
          ['PUT', 'Change'],
          ['PATCH', 'Password alone'],
          ['DELETE', 'Remove'],
        ])}
        {select(
          'sp',
          'Service provider',
          'resident',
          services.filter((one) => !one.resident).map((one) => [one.name, one.name] as const),
        )}
        <TextInput
          type="datetime-local"
          label="When"
          description="Empty: now. In your time zone."
          value={question.at}
          onChange={(event) => set('at', event.currentTarget.value)}
        />
        <div className="ask-button">
          <Button type="submit" size="sm" disabled={question.subject.trim() === '' || chosen === ''}>
            Ask
          </Button>
        </div>
      </div>
    </form>
  );
}

/** As `datetime-local` writes it. */
function toLocal(time: string): string {
  const at = new Date(time);
  return Number.isNaN(at.getTime())
    ? ''
    : new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const follows: Record<TryRulesAnswer['action'], string> = {
  'let-through': 'It would go out.',
  withhold:
    'Nothing would be sent, and nothing removed. It is asked again when the person, a policy or a binding changes.',
  park: 'It would be set aside: nothing is sent and nothing removed until what keeps it from being decided is mended.',
};
const states = { 'let-through': 'through', withhold: 'withheld', park: 'parked' } as const;

function Answer({ answer, subject, target }: { answer: TryRulesAnswer; subject: string; target: string }) {
  const { action, operation, serviceProvider, at, decision, reason, readsClock } = answer;
  const isDangerous = action === 'withhold' && operation === 'DELETE';
  return (
    <Card title="Answer" bare>
      <div className="card-body stack">
        <div className="row wrap">
          <StateTag state={states[action]} />
          <strong className="decision">{sentenceOf(answer)}</strong>
        </div>
        {isDangerous && (
          <Note tone="orange" icon="warning">
            A removal that is withheld leaves an account alive at {target} that nobody should have.
          </Note>
        )}
        <Facts
          rows={[
            ['What follows', follows[action]],
            ['Asked about', `${subject}, ${operations[operation]} (${operation}) at ${target}, for ${serviceProvider}`],
            ['At', showExact(at)],
            ['Decision', decision],
            ['Reason', reason],
            [
              'Clock',
              <span key="clock" className="row">
                <Icon name="clock" size={16} />
                {readsClock
                  ? 'It looks at the clock: at another time the answer may differ.'
                  : 'It does not look at the clock.'}
              </span>,
            ],
          ]}
        />
      </div>
      <section className="trace-box" aria-label="Trace">
        <h3 className="card-title">How it came to that</h3>
        <Trace nodes={answer.trace as unknown as TraceNode[]} />
      </section>
    </Card>
  );
}

/** The rule's own words, when it has some. */
function sentenceOf({ decision, action, reason, decidedBy }: TryRulesAnswer): string {
  if ((decision === 'permit' || decision === 'deny') && decidedBy?.says) return decidedBy.says;
  if (decision === 'not-applicable') {
    return action === 'withhold' ? 'No rule applies, and the server withholds then.' : 'No rule applies.';
  }
  return `${reason[0]!.toUpperCase()}${reason.slice(1)}.`;
}
