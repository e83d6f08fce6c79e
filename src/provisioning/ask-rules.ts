import { type Speaker, speakersSince } from '../directory/changes.ts';
import { readAllGroupsOf } from '../directory/memberships.ts';
import type { Attributes, Subject } from '../directory/subjects.ts';
import type { JsonValue } from '../protocol/scim/json.ts';
import { decideProvisioning, type ProvisioningDecision, type RuleSettings } from '../rules/decide.ts';
import type { PoliciesInForce } from '../rules/in-force.ts';
import type { ProvisioningOperation } from '../rules/provisioning-request.ts';
import type { AccountRow } from '../store/schema.ts';
import type { Reading } from '../store/store.ts';
import type { OpenTarget, TargetBook } from './target-book.ts';

/** What the rules say of one operation on one account. */
export type RuleAnswer = Pick<ProvisioningDecision, 'action' | 'reason' | 'readsClock'> & {
  /** Names of the policies that decided. */
  policies: string[];
};

/** The rules of one account, with all they need to know of its subject as it was when this was made. */
export type AccountRules = {
  /** `at`: the moment they are asked about, in milliseconds of database time. */
  ask(operation: ProvisioningOperation, at: number): RuleAnswer;
  /** The last reason given, for the attempt's record; null when nothing was asked. */
  said: string | null;
};

type AskedTarget = { idpName: string; type: string };
type Asked = Pick<AccountRow, 'subject_id' | 'sp_id' | 'seq_done'>;

/**
 * The rules of some accounts of one target (engine rule 22), by subject; those that no binding with *Enable rules*
 * concerns are missing. Asked are the service providers that spoke for the subject since it was last delivered and are
 * bound here, else the one that let the account in, else whoever else spoke for it and is bound here: of these, all that
 * have rules on, and all must permit.
 */
export async function openRules(
  reading: Reading,
  book: TargetBook,
  open: OpenTarget,
  asked: readonly Asked[],
  known: { subjects: ReadonlyMap<string, Subject>; spokenFor: ReadonlyMap<string, readonly Speaker[]> },
): Promise<Map<string, AccountRules>> {
  const rules = new Map<string, AccountRules>();
  const targetId = open.target.id;
  if (!book.asksRules(targetId)) return rules;
  const since = await speakersSince(
    reading,
    asked.map((account) => ({ subjectId: account.subject_id, after: account.seq_done })),
  );
  const concerned = asked.flatMap((account) => {
    const bound = (speakers: readonly Speaker[]) => {
      const some = speakers.filter((speaker) => book.isBound(targetId, [speaker]));
      return some.length > 0 ? [...new Set(some.map((speaker) => speaker.spId))] : undefined;
    };
    const { subject_id, sp_id } = account;
    const ever = known.spokenFor.get(subject_id) ?? [];
    const responsible =
      bound(since.get(subject_id) ?? []) ?? bound(ever.filter(({ spId }) => spId === sp_id)) ?? bound(ever) ?? [];
    const subject = known.subjects.get(subject_id);
    const askers = responsible.filter((spId) => book.asksRules(targetId, spId));
    return subject && askers.length > 0 ? [{ subject, askers: askers.map((spId) => book.spNames.get(spId)!) }] : [];
  });
  const groups = await readAllGroupsOf(
    reading,
    concerned.map(({ subject }) => subject.id),
  );
  for (const { subject, askers } of concerned) {
    const question = describeQuestion(open.target, subject, groups.get(subject.id) ?? []);
    const account: AccountRules = {
      said: null,
      ask(operation, at) {
        const { inForce } = book.policies;
        const answer =
          typeof inForce === 'string'
            ? {
                action: 'park' as const,
                reason: `the policies cannot be used: ${inForce}`,
                readsClock: false,
                policies: [],
              }
            : combine(
                askers.map((serviceProvider) => ({
                  serviceProvider,
                  ...decideProvisioning(inForce, { ...question, serviceProvider, operation, at }, book.rules),
                })),
                operation,
              );
        account.said = answer.reason;
        return answer;
      },
    };
    rules.set(subject.id, account);
  }
  return rules;
}

/** The strictest counts: what cannot be decided, then a no, then a yes. */
function combine(
  answers: readonly (ProvisioningDecision & { serviceProvider: string })[],
  operation: ProvisioningOperation,
): RuleAnswer {
  const first = (['park', 'withhold', 'let-through'] as const)
    .map((action) => answers.filter((answer) => answer.action === action))
    .find((some) => some.length > 0)!;
  const who = first.map((answer) => answer.serviceProvider).join(' and ');
  const why = [...new Set(first.map((answer) => answer.reason))].join('; ');
  return {
    action: first[0]!.action,
    reason: `${operation} for ${who}: ${why}`,
    readsClock: first.some((answer) => answer.readsClock),
    policies: [...new Set(first.flatMap(({ decidedBy }) => (decidedBy ? [decidedBy.policy] : [])))],
  };
}

/** One question as somebody tries it: with a trace, and by policies that need not be in force. */
export async function tryRules(
  reading: Reading,
  target: AskedTarget,
  subject: Subject,
  question: {
    policies: PoliciesInForce;
    serviceProvider: string;
    operation: ProvisioningOperation;
    at: number;
    settings: RuleSettings;
  },
): Promise<ProvisioningDecision> {
  const groups = (await readAllGroupsOf(reading, [subject.id])).get(subject.id) ?? [];
  const { policies, serviceProvider, operation, at, settings } = question;
  const request = { ...describeQuestion(target, subject, groups), serviceProvider, operation, at };
  return decideProvisioning(policies, request, { ...settings, trace: true });
}

function describeQuestion(target: AskedTarget, subject: Subject, groups: readonly { display: string }[]) {
  let flat: Map<string, string[]> | undefined;
  return {
    subject: subject.fullName,
    attributes: {
      get(path: string) {
        flat ??= flatten(subject.attributes);
        return flat.get(path);
      },
    },
    roles: groups.map((group) => group.display),
    identityProvider: target.idpName,
    connectorType: target.type,
  };
}

/** By SCIM path, every value as text: `title`, `name.familyName`, `emails.value`, `urn:…:User:department`. */
function flatten(attributes: Attributes): Map<string, string[]> {
  const flat = new Map<string, string[]>();
  const put = (path: string, value: JsonValue | undefined, link: '.' | ':'): void => {
    if (value === null || value === undefined) return;
    if (Array.isArray(value)) {
      for (const each of value) put(path, each, '.');
    } else if (typeof value === 'object') {
      for (const [name, inner] of Object.entries(value)) put(`${path}${link}${name}`, inner, '.');
    } else {
      const values = flat.get(path);
      if (values) values.push(String(value));
      else flat.set(path, [String(value)]);
    }
  };
  for (const [name, value] of Object.entries(attributes)) {
    put(name, value, name.toLowerCase().startsWith('urn:') ? ':' : '.');
  }
  return flat;
}
