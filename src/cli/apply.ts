import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { readEnvironment } from '../config.ts';
import type { OAuthClientMade } from '../contract/oauth-client.ts';
import type { Offer } from '../contract/wave.ts';
import { compareFile, type Difference, nameRefused } from './apply-difference.ts';
import { type ApplyFile, readApplyFile } from './apply-file.ts';
import { type AppliedKind, type StepOptions, stepsOf } from './apply-steps.ts';
import { type Change, CliError, type Client } from './client.ts';
import { asClientCommand, openCommand } from './command.ts';
import { describeEffect } from './effects.ts';
import { printOffer } from './offers.ts';
import { type Output, printJson, showCell } from './output.ts';

/**
 * What was done to one object of the file. `offers`: who could be sent by new bindings, or by falling back. `clientId` and `clientSecret`: of
 * an OAuth client that was made; nobody is told the secret again.
 */
export type Applied = {
  kind: AppliedKind;
  name: string;
  change: Change;
  offers?: Offer[];
  clientId?: string;
  clientSecret?: string;
};

type Options = { json?: boolean; url?: string; data?: string; file: string; dryRun?: boolean; sameSystem?: boolean };

/** `purvey apply -f FILE`. */
export function addApply(program: Command): void {
  const apply = program
    .command('apply')
    .description('bring identity providers, targets, service providers, bindings and OAuth clients in line with a file')
    .requiredOption('-f, --file <file>', 'YAML file; - reads standard input')
    .option('--same-system', 'a changed address of a target is the same system at another place: its accounts stay')
    .option('--dry-run', 'check the file, print what would change and what that would do, and change nothing');
  asClientCommand(apply, 'PARTNER_TOKEN=… purvey apply -f examples/acme/purvey.yaml').action(
    async (options: Options) => {
      const file = readApplyFile(readText(options.file), options.file, readEnvironment);
      const { client, out } = openCommand(options);
      const items = options.dryRun
        ? await compareFile(client, file, (one) => printDifference(out, one), options)
        : await applyOrShow(client, file, out, options);
      for (const each of items) for (const offer of each.offers ?? []) printOffer(out, offer);
      if (out.json) printJson(out, { items });
    },
  );
}

/** `applyFile`, telling what is done. Where it stops on the way, a secret that was made is still told. */
async function applyOrShow(client: Client, file: ApplyFile, out: Output, options: StepOptions): Promise<Applied[]> {
  const done: Applied[] = [];
  try {
    return await applyFile(
      client,
      file,
      (one) => {
        done.push(one);
        printLine(out, [one.kind, one.name, one.change]);
        if (one.clientId !== undefined) printLine(out, ['', 'client id', one.clientId]);
        if (one.clientSecret !== undefined) printLine(out, ['', 'client secret', one.clientSecret]);
      },
      options,
    );
  } catch (error) {
    if (out.json && done.some((one) => one.clientSecret !== undefined)) printJson(out, { items: done });
    throw error;
  }
}

/**
 * Says the whole file to the server, object after object; what the file does not name stays as it is. Doing it again
 * changes nothing. Throws `CliError` naming the object at which it stopped: what came before it is done, and applying
 * the mended file goes on from there.
 */
export async function applyFile(
  client: Client,
  file: ApplyFile,
  tell: (one: Applied) => void,
  options: StepOptions = {},
): Promise<Applied[]> {
  const all: Applied[] = [];
  for (const step of stepsOf(file, options)) {
    try {
      const { method, path, body } = await step.look(client);
      const { kind, name } = step;
      const said = body && (await client.send<{ offers?: Offer[] } & Partial<OAuthClientMade>>(method, path, body));
      const offers = said?.answer.offers?.length ? { offers: said.answer.offers } : {};
      const one: Applied = { kind, name, change: said?.change ?? 'unchanged', ...offers };
      if (kind === 'OAuth client' && one.change === 'created') {
        const { clientId, clientSecret } = said!.answer;
        Object.assign(one, { clientId, ...(clientSecret ? { clientSecret } : {}) });
      }
      all.push(one);
      tell(one);
    } catch (error) {
      throw nameRefused(step, error);
    }
  }
  return all;
}

const futures: Record<Change, string> = {
  created: 'would be created',
  updated: 'would be updated',
  unchanged: 'unchanged',
};

function printDifference(out: Output, { kind, name, change, fields, checked, effects = [] }: Difference): void {
  const note = checked ? [] : [out.terminal ? '(checked when what it stands on is there)' : 'unchecked'];
  printLine(out, [kind, name, futures[change], ...note]);
  for (const each of fields) {
    if ('secret' in each) printLine(out, ['', each.field, `secret ${each.secret}`]);
    else if (out.terminal) printLine(out, ['', `${each.field}:`, showCell(each.from), '->', showCell(each.to)]);
    else printLine(out, ['', each.field, showCell(each.from), showCell(each.to)]);
  }
  for (const each of effects) printLine(out, ['', ...(out.terminal ? [] : ['effect']), describeEffect(each)]);
}

function printLine(out: Output, cells: readonly string[]): void {
  if (!out.json) out.write(`${cells.join(out.terminal ? ' ' : '\t')}\n`);
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`);
  }
}
