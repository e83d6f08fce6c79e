import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { SyncAnswer } from '../contract/sync.ts';
import { CliError, type Client } from './client.ts';
import { asClientCommand, openCommand } from './command.ts';
import { describeNewcomers, showNumber } from './offers.ts';
import { type Output, printJson } from './output.ts';
import { openSyncProgress } from './sync-progress.ts';

type Options = {
  json?: boolean;
  url?: string;
  data?: string;
  wait: boolean;
  pause?: boolean;
  cancel?: boolean;
};

const pollMs = 400;

/** `purvey sync TARGET`. */
export function addSync(program: Command): void {
  const sync = program
    .command('sync')
    .argument('<target>', 'id or name, such as partner:SCIM2')
    .description('send everybody who may be at a target, and compare everybody who is')
    .option('--no-wait', 'start it and come back at once')
    .option('--pause', 'pause the one that runs; the same command without it lets it go on')
    .option('--cancel', 'end the one that runs; what is due already is delivered')
    .addHelpText(
      'after',
      '\nIt runs on the server: Ctrl-C leaves it running, and the same command shows it again.\nExit code 1 when it was paused or cancelled before its end.',
    );
  asClientCommand(sync, 'purvey sync partner:SCIM2').action(async (target: string, options: Options) => {
    if (options.pause && options.cancel) throw new CliError('give --pause or --cancel, not both');
    const { client, out } = openCommand(options);
    const path = `/targets/${encodeURIComponent(target)}/sync`;
    const act = options.pause ? 'pause' : options.cancel ? 'cancel' : undefined;
    if (act) return tellEnd(out, (await client.send<SyncAnswer>('POST', `${path}/${act}`)).answer);
    const before = await client.get<SyncAnswer>(path);
    const { answer } = await client.send<SyncAnswer>('POST', path);
    if (!options.wait) return tellStart(out, before, answer);
    tellStart(out, before, answer, 'and waits');
    await waitForEnd(client, out, path, answer);
  });
}

function tellStart(out: Output, before: SyncAnswer, now: SyncAnswer, wait?: 'and waits'): void {
  if (out.json) {
    if (!wait) printJson(out, now);
    return;
  }
  const { target } = now;
  const was = before.sync?.state;
  if (was === 'running') out.write(`a sync of ${target} runs already, asked for by ${before.sync!.actor}\n`);
  else if (was === 'paused') out.write(`the sync of ${target} goes on\n`);
  else {
    const { missing } = before;
    const nobody = missing === null || missing.users + missing.groups === 0;
    const who = nobody ? 'nobody new' : describeNewcomers(missing);
    out.write(`a sync of ${target} begins: ${who} to send, and everybody there to compare\n`);
  }
}

/** Shows how it comes along until it is over; Ctrl-C ends the showing alone. */
async function waitForEnd(client: Client, out: Output, path: string, first: SyncAnswer): Promise<void> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.once('SIGINT', onSignal);
  const progress = openSyncProgress(out, first.target);
  let answer = first;
  try {
    for (;;) {
      if (answer.sync === null || answer.sync.id !== first.sync!.id) {
        throw new CliError(`the sync of ${first.target} is not there any more`);
      }
      progress.show(answer);
      if (answer.sync.state !== 'running') break;
      await sleep(pollMs, undefined, { signal: stop.signal });
      answer = await client.get<SyncAnswer>(path);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    progress.close();
    process.stderr.write(
      `the sync of ${first.target} goes on at the server; see it with: purvey sync ${first.target}, end it with: purvey sync ${first.target} --cancel\n`,
    );
    process.exitCode = 130;
    return;
  } finally {
    process.off('SIGINT', onSignal);
    progress.close();
  }
  tellEnd(out, answer);
  if (answer.sync?.state !== 'done') process.exitCode = 1;
}

function tellEnd(out: Output, answer: SyncAnswer): void {
  if (out.json) {
    printJson(out, answer);
    return;
  }
  const { state, seen, raised } = answer.sync!;
  const deliveries = `${showNumber(answer.pending)} ${answer.pending === 1 ? 'delivery' : 'deliveries'}`;
  out.write(
    `sync of ${answer.target} ${state}: ${showNumber(seen)} looked at, ${showNumber(raised)} made due, ${deliveries} pending\n`,
  );
}
