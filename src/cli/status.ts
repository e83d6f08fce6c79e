import type { Command } from 'commander';
import type { CauseAnswer, CausesAnswer } from '../contract/cause.ts';
import type { BannerAnswer, StatusAnswer } from '../contract/status.ts';
import { asClientCommand, openCommand } from './command.ts';
import { printFields, printJson, printRows, showDuration } from './output.ts';

/** `purvey status`. */
export function addStatus(program: Command): void {
  const status = program.command('status').description('how the server and its targets are doing');
  asClientCommand(status, 'purvey status --json').action(
    async (options: { json?: boolean; url?: string; data?: string }) => {
      const { client, out } = openCommand(options);
      const answer = await client.get<StatusAnswer>('/status');
      if (out.json) return printJson(out, answer);
      printFields(out, answer, [
        ['server', `${client.url} (version ${answer.version}, up ${showDuration(answer.uptime * 1000)})`],
        ['database', `${answer.database.kind}, ${answer.database.place}`],
        ['users', answer.users],
        ['groups', answer.groups],
        ...showForwarded(answer.forwarded),
        ['changes to plan', answer.unplannedChanges],
        ['attempts kept', showKept(answer.kept.attemptsDays, answer.kept.oldestAttempt)],
        ['changes kept', showKept(answer.kept.changesDays, answer.kept.oldestChange)],
      ]);
      if (answer.targets.length === 0) return;
      if (out.terminal) out.write('\n');
      printRows(out, answer, answer.targets, [
        { head: 'TARGET', value: (row) => row.name },
        { head: 'STATE', value: (row) => stateOf(row) },
        { head: 'ACCOUNTS', value: (row) => row.accounts },
        { head: 'DONE', value: (row) => row.byState.done ?? 0 },
        { head: 'PENDING', value: (row) => row.pending },
        { head: 'PARKED', value: (row) => row.parked - row.left },
        { head: 'LEFT', value: (row) => row.left },
        { head: 'LONGEST WAIT', value: (row) => showDuration(row.oldestPendingMs) },
      ]);
      const { items } = await client.get<CausesAnswer>('/causes');
      for (const target of answer.targets) {
        for (const cause of items.filter((one) => one.targetId === target.id).slice(0, causesShown)) {
          out.write(`${target.name}: ${describeCause(cause)}\n`);
        }
        if (target.paused) {
          const { since, by } = target.paused;
          out.write(`${target.name}: paused since ${since} by ${by}; ${countAccounts(target.pending)}\n`);
        }
        for (const banner of target.banners) out.write(`${target.name}: ${describeBanner(banner)}\n`);
        if (target.withheldRemovals > 0) {
          const are = target.withheldRemovals === 1 ? 'removal is' : 'removals are';
          out.write(
            `${target.name}: ${target.withheldRemovals} ${are} withheld by rules: see purvey accounts list --target ${target.name} --state withheld\n`,
          );
        }
        for (const wave of target.waves) {
          const what = wave.kind === 'everyone' ? 'sync' : wave.cause;
          out.write(
            `${target.name}: ${what} (${wave.actor}) ${wave.state}, ${wave.seen} of ${wave.total} looked at, ${wave.raised} made due\n`,
          );
        }
      }
    },
  );
}

/** Nothing where nobody was. */
function showForwarded({ users, groups, bodies, givenUp }: StatusAnswer['forwarded']): [string, string][] {
  if (users + groups === 0) return [];
  const waiting = bodies === 0 ? [] : [`${bodies} sealed until every target has them`];
  const lost = givenUp === 0 ? [] : [`${givenUp} given up`];
  return [['only forwarded', [`${users} users, ${groups} groups`, ...waiting, ...lost].join('; ')]];
}

function showKept(days: number, oldest: string | null): string {
  const time = days === 0 ? 'for ever' : `for ${days} days`;
  return oldest === null ? `${time}; there are none` : `${time}; the oldest is of ${oldest}`;
}

const countAccounts = (count: number) => `${count} ${count === 1 ? 'account waits' : 'accounts wait'}`;

/** So many of one target; the rest is in `purvey accounts list --state parked`. */
const causesShown = 5;

function describeCause({ cause, parked, failing, example, fix }: CauseAnswer): string {
  const counts = [...(parked > 0 ? [`${parked} parked`] : []), ...(failing > 0 ? [`${failing} tried again`] : [])];
  return `${counts.join(', ')}, such as ${example.subject.name}: ${cause}${fix === null ? '' : `. ${fix}`}`;
}

function describeBanner({ kinds, reason, throttled, since, nextTryAt, waiting }: BannerAnswer): string {
  const who = kinds.map((kind) => `${kind}s`).join(' and ');
  const how = throttled ? 'are slowed' : 'are held';
  const next = nextTryAt === null ? '' : `; the next try is at ${nextTryAt}`;
  return `${who} ${how} since ${since}, ${countAccounts(waiting)}${next}: ${reason}`;
}

function stateOf(target: StatusAnswer['targets'][number]): string {
  if (!target.enabled) return 'disabled';
  if (target.paused) return 'paused';
  if (target.held.some((lane) => !lane.throttled)) return 'held';
  if (target.held.length > 0) return 'slowed';
  return target.boundBy.length === 0 ? 'unbound' : 'ok';
}
