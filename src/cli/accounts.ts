import type { Command } from 'commander';
import type { AccountAnswer, AccountDetail, DecisionAnswer, ForwardedAnswer } from '../contract/account.ts';
import type { Page } from '../contract/page.ts';
import { CliError, type Client } from './client.ts';
import { asClientCommand, openCommand, readCount } from './command.ts';
import { printFields, printJson, printRows } from './output.ts';

type Options = { json?: boolean; url?: string; data?: string };
type ListOptions = Options & {
  target?: string;
  state?: string;
  kind?: string;
  subject?: string;
  left?: boolean;
  remoteId?: string;
  limit: number;
  all?: boolean;
};

const pathOf = (target: string, subject: string) =>
  `/accounts/${encodeURIComponent(target)}/${encodeURIComponent(subject)}`;

/** `purvey accounts list|show|retry|adopt|leave|give-up`. */
export function addAccounts(program: Command): void {
  const group = program.command('accounts').description('where users and groups stand at the targets');

  const list = group
    .command('list')
    .description('list accounts')
    .option('--target <target>', 'only at this target, such as partner:SCIM2')
    .option('--state <states>', 'only in these states, separated by commas: due, done, waiting, parked, withheld …')
    .option('--kind <kind>', 'only user or group')
    .option('--subject <name>', 'only of this user or group, by id or name')
    .option('--remote-id <id>', 'only whoever has this id at a target')
    .option('--left', 'only those that somebody left parked')
    .option('--no-left', 'only those that nobody left parked')
    .option('--limit <number>', 'at most so many', readCount(1), 100)
    .option('--all', 'all of them');
  asClientCommand(list, 'purvey accounts list --target partner:SCIM2 --state parked').action(
    async (options: ListOptions) => {
      const { client, out } = openCommand(options);
      const { rows, more } = await listAccounts(client, options);
      printRows(out, { items: rows, more }, rows, [
        { head: 'TARGET', value: (row) => row.target },
        { head: 'KIND', value: (row) => row.subject.kind },
        { head: 'NAME', value: (row) => row.subject.name },
        { head: 'STATE', value: (row) => row.state },
        { head: 'REMOTE ID', value: (row) => row.remoteId },
        { head: 'REASON', value: whyOf },
      ]);
      if (out.terminal && !out.json && more) out.write('there are more; see them with --limit or --all\n');
    },
  );

  const show = group
    .command('show')
    .argument('<target>', 'such as partner:SCIM2')
    .argument('<subject>', 'user or group, by id or name')
    .description('show one account and the last things said about it');
  asClientCommand(show, 'purvey accounts show partner:SCIM2 ada').action(
    async (target: string, subject: string, options: Options) => {
      const { client, out } = openCommand(options);
      const account = await client.get<AccountDetail>(pathOf(target, subject));
      printFields(out, account, [
        ['target', account.target],
        [account.subject.kind, `${account.subject.name} (${account.subject.id}, ${account.subject.life})`],
        ['state', account.state],
        ['reason', account.reason],
        ['due', account.due ? account.dueAt : 'no'],
        ['remote id', account.remoteId],
        ['origin', account.origin],
        ['in doubt', account.inDoubt],
        ['password', passwordOf(account)],
        ['waits for', account.waitsFor?.name],
        ['waits behind', account.waitsBehind],
        ...(account.forwarded ? [['forwarded', describeForwarded(account.forwarded)] as [string, unknown]] : []),
        ['let in by', account.why.sentence],
        ['left parked', account.left && describeLeft(account.left)],
        ...describeConflict(account),
        ...account.decisions.map((one): [string, unknown] => ['decided', describeDecision(one)]),
        ...account.attempts.flatMap((attempt): [string, unknown][] => [
          [
            `attempt ${attempt.id}`,
            [attempt.startedAt, attempt.operation, attempt.outcome ?? 'under way', attempt.reason]
              .filter((part) => part !== null)
              .join(', '),
          ],
          ...(attempt.rule === null ? [] : [['  rule', attempt.rule] as [string, unknown]]),
          ...attempt.exchanges.map((each): [string, unknown] => [
            '  said',
            `${each.method} ${each.url} -> ${each.status ?? each.error} (${each.tookMs} ms)`,
          ]),
        ]),
      ]);
    },
  );

  const retry = group
    .command('retry')
    .argument('<target>', 'such as partner:SCIM2')
    .argument('[subject]', 'user or group, by id or name')
    .option('--parked', 'every parked account of the target that nobody left so')
    .description('make an account due at once, whatever its state');
  asClientCommand(retry, 'purvey accounts retry partner:SCIM2 --parked').action(
    async (target: string, subject: string | undefined, options: Options & { parked?: boolean }) => {
      if ((subject === undefined) !== (options.parked === true)) {
        throw new CliError('name one user or group, or give --parked for all that are parked there');
      }
      const { client, out } = openCommand(options);
      const subjects =
        subject !== undefined
          ? [subject]
          : (await listAccounts(client, { target, state: 'parked', left: false, all: true, limit: 1 })).rows.map(
              (row) => row.subject.id,
            );
      const retried: AccountAnswer[] = [];
      for (const each of subjects) {
        retried.push((await client.send<AccountAnswer>('POST', `${pathOf(target, each)}/retry`)).answer);
      }
      if (out.json) return printJson(out, { items: retried });
      for (const account of retried) out.write(`${account.subject.name} is due at ${account.target}\n`);
      if (retried.length === 0) out.write('nothing is parked there\n');
    },
  );

  const adopt = group
    .command('adopt')
    .argument('<target>', 'such as partner:SCIM2')
    .argument('<subject>', 'user or group, by id or name')
    .argument('<remote-id>', 'the account there that is taken over, as `accounts show` names it')
    .description('take over the account that is at the target under the name already');
  asClientCommand(adopt, 'purvey accounts adopt partner:SCIM2 ada 2819c223').action(
    async (target: string, subject: string, remoteId: string, options: Options) => {
      const { client, out } = openCommand(options);
      const path = `${pathOf(target, subject)}/adopt`;
      const { answer } = await client.send<AccountAnswer>('POST', path, { remoteId });
      if (out.json) return printJson(out, answer);
      out.write(`${answer.subject.name} takes over ${remoteId} at ${answer.target} with the next attempt\n`);
    },
  );

  const leave = group
    .command('leave')
    .argument('<target>', 'such as partner:SCIM2')
    .argument('<subject>', 'user or group, by id or name')
    .option('--note <text>', 'why, for whoever comes after you')
    .description('leave a parked account parked, until something about it changes');
  asClientCommand(leave, 'purvey accounts leave partner:SCIM2 ada --note "she has another one there"').action(
    async (target: string, subject: string, options: Options & { note?: string }) => {
      const { client, out } = openCommand(options);
      const { note } = options;
      const path = `${pathOf(target, subject)}/leave`;
      const { answer } = await client.send<AccountAnswer>('POST', path, note === undefined ? {} : { note });
      if (out.json) return printJson(out, answer);
      out.write(`${answer.subject.name} is left parked at ${answer.target}\n`);
    },
  );

  const giveUp = group
    .command('give-up')
    .argument('<subject>', 'user or group that is only forwarded, by id or name')
    .description('erase what is kept of it, sealed, for targets that do not take it');
  asClientCommand(giveUp, 'purvey accounts give-up ada').action(async (subject: string, options: Options) => {
    const { client, out } = openCommand(options);
    const path = `/forwarded/${encodeURIComponent(subject)}/give-up`;
    const { answer } = await client.send<ForwardedAnswer>('POST', path);
    if (out.json) return printJson(out, answer);
    const rest = answer.givenUp ? 'the targets that did not have it are not told any more' : 'every target had it';
    out.write(`nothing of ${subject} is kept; ${rest}\n`);
  });
}

function describeConflict({ target, subject, remoteId: own, conflict }: AccountDetail): [string, unknown][] {
  const about = `${target} ${subject.name}`;
  return (conflict?.remotes ?? []).map(({ remoteId, name }) => {
    const what = `${name} (id ${remoteId})`;
    if (conflict!.adoptable) return ['is there already', `${what}; purvey accounts adopt ${about} ${remoteId}`];
    const why = `not to be adopted, since ${own} would be left behind. Rename or remove it there, then purvey accounts retry ${about}`;
    return ['has its name', `${what}; ${why}. If it is to be theirs, remove ${own} there instead, then retry`];
  });
}

function describeForwarded({ serviceProvider, body, keptUntil, givenUp }: ForwardedAnswer): string {
  const what = {
    whole: `sealed until every target has it, at most until ${keptUntil}`,
    part: `only its last PATCH is kept, sealed, at most until ${keptUntil}`,
    none: 'what was sent is erased',
  }[body];
  return `only, for ${serviceProvider}; ${what}${givenUp ? '; it was given up before every target had it' : ''}`;
}

const describeLeft = ({ by, at, note }: NonNullable<AccountAnswer['left']>) =>
  `by ${by}, ${at}${note === null ? '' : `: ${note}`}`;

function describeDecision({ what, remoteId, remoteName, by, at, ended, endedWhy }: DecisionAnswer): string {
  const word = what === 'adopt' ? `adopt "${remoteName}" (id ${remoteId})` : 'leave it parked';
  const end = ended === null ? 'stands' : endedWhy === null ? ended : `${ended}: ${endedWhy}`;
  return `${word}, by ${by}, ${at}; ${end}`;
}

/** Of an account that is done otherwise, a password that did not get there is all there is to say. */
function whyOf({ reason, passwordNote, left }: AccountAnswer): string | null {
  const both = [left && `left parked by ${left.by}`, reason, passwordNote].filter((one) => one !== null);
  return both.length === 0 ? null : both.join('; ');
}

function passwordOf({ passwordDue, passwordNote }: AccountAnswer): string | null {
  return passwordNote ?? (passwordDue ? 'a new one is still to be sent' : null);
}

async function listAccounts(
  client: Client,
  options: Omit<ListOptions, 'json'>,
): Promise<{ rows: AccountAnswer[]; more: boolean }> {
  const rows: AccountAnswer[] = [];
  const wanted = options.all ? Number.POSITIVE_INFINITY : options.limit;
  let after: string | null = null;
  do {
    const { target, state, kind, subject, left, remoteId } = options;
    const limit = Math.min(1_000, wanted - rows.length);
    const query = { target, state, kind, subject, left: left?.toString(), remoteId, limit, after: after ?? undefined };
    const page: Page<AccountAnswer> = await client.get('/accounts', query);
    rows.push(...page.items);
    after = page.next;
  } while (after !== null && rows.length < wanted);
  return { rows, more: after !== null };
}
