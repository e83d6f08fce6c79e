import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { CliError } from './client.ts';
import { readCount } from './command.ts';
import { fewestPeople } from './demo/changes.ts';
import { jitPorts, runJitDemo } from './demo/jit.ts';
import type { Screen } from './demo/progress.ts';
import { defaultPorts, runDemo, type Summary } from './demo/run.ts';
import { describeDemo, describeJitDemo } from './demo/words.ts';

type Options = { jit?: boolean; resume?: boolean; once?: boolean; json?: boolean; people?: number; data: string };

type How = { stays: boolean };

const defaultFolder = './data/demo';
const everybody = 1_000;
/** Ctrl-C reaches a command that npm runs twice, from the terminal and from npm: only a later one is impatience. */
const impatientMs = 1_000;

/** `purvey demo`. */
export function addDemo(program: Command): void {
  program
    .command('demo')
    .description('run two servers and send a company of 1,000 people from one to the other')
    .option('--jit', 'three servers: people of a partner sign in to an application, and are sent on just in time')
    .option('--once', 'end when it is over; exit code 0 only if both agree and nothing is pending or parked')
    .option('--json', 'print one line of JSON on standard output, and no progress in a pipe')
    .option('--resume', 'go on with what is there, instead of starting empty')
    .addOption(
      new Option('--people <number>', `only so many people, ${fewestPeople} to ${everybody}`).argParser(
        readCount(fewestPeople),
      ),
    )
    .option('--data <folder>', 'where both keep their data', defaultFolder)
    .addHelpText(
      'after',
      `
Acme listens on 127.0.0.1 port ${defaultPorts.acme} and Partner on ${defaultPorts.partner}, or on others where these are taken. In the
data folder: acme and partner (a data folder each, with purvey.log), and demo.json, which tells --resume how far it came.
--jit starts anew each time, in the folder jit below it, on the ports ${Object.values(jitPorts).join(', ')}.

Example:
  npm run demo -- --once --json`,
    )
    .action(async (options: Options) => {
      if (options.people !== undefined && options.people > everybody) {
        throw new CliError(`--people must be at most ${everybody}, not ${options.people}`);
      }
      if (options.jit && (options.resume || options.people !== undefined)) {
        throw new CliError(
          '--jit goes with --once, --json and --data only: it starts anew each time, with three people',
        );
      }
      process.exitCode = await demonstrate(options);
    });
}

async function demonstrate(options: Options): Promise<number> {
  const interrupt = new AbortController();
  const { signal } = interrupt;
  let askedAt: number | undefined;
  const ask = () => {
    if (askedAt !== undefined && performance.now() - askedAt > impatientMs) process.exit(130);
    askedAt ??= performance.now();
    interrupt.abort(new CliError('interrupted'));
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, ask);

  const say = (line: string) => void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  const isQuiet = (options.json ?? false) && !process.stderr.isTTY;
  const stream = options.json ? process.stderr : process.stdout;
  const screen: Screen = { stream: isQuiet ? undefined : stream, terminal: stream.isTTY ?? false };
  let exitCode = 1;
  let isOver = false;
  const demo = {
    folder: resolve(options.data),
    resume: options.resume ?? false,
    people: options.people,
    everybody,
    screen,
    say: (line: string) => {
      if (!isQuiet) say(line);
    },
    stallMs: 60_000,
    interrupt,
  };
  try {
    const show = async <R extends { summary: Summary }>(result: R, describe: (result: R, how: How) => string) => {
      const { summary } = result;
      exitCode = summary.differences === 0 && summary.pending === 0 && summary.parked === 0 ? 0 : 1;
      isOver = true;
      if (options.json) process.stdout.write(`${JSON.stringify(summary)}\n`);
      if (!isQuiet) say(describe(result, { stays: !options.once }));
      if (!options.once) await untilAborted(signal);
    };
    if (options.jit) await runJitDemo(demo, (result) => show(result, describeJitDemo));
    else await runDemo(demo, (result) => show(result, describeDemo));
  } catch (error) {
    if (askedAt === undefined) throw error;
  }
  if (askedAt === undefined) return exitCode;
  if (isOver && !options.once) return 0;
  if (options.jit) process.stderr.write('interrupted; it starts anew each time\n');
  else process.stderr.write(`interrupted; this goes on from here:\n  ${resumeCommand(options)}\n`);
  return 130;
}

/** As it is typed in the repository. */
function resumeCommand({ once, json, data }: Options): string {
  const flags = ['--resume', ...(once ? ['--once'] : []), ...(json ? ['--json'] : [])];
  return `npx purvey demo ${flags.join(' ')}${data === defaultFolder ? '' : ` --data '${data}'`}`;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      const { reason } = signal;
      if (reason instanceof CliError && reason.message === 'interrupted') resolve();
      else reject(reason);
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
