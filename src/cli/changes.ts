import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { ChangeAnswer } from '../contract/change.ts';
import type { AgingPage } from '../contract/page.ts';
import { asClientCommand, openCommand, readCount } from './command.ts';
import { type Column, printJson, printRows } from './output.ts';

type Options = { json?: boolean; url?: string; data?: string; lines: number; after?: number; follow?: boolean };

const pollMs = 1_000;

/** `purvey changes tail`. With `--json` every change is a line of its own. */
export function addChanges(program: Command): void {
  const group = program.command('changes').description('what happened to users and groups');
  const tail = group
    .command('tail')
    .description('print the last changes')
    .option('-n, --lines <number>', 'how many', readCount(1), 20)
    .option('--after <sequence>', 'all after this sequence number instead', readCount(0))
    .option('-f, --follow', 'go on until interrupted');
  asClientCommand(tail, 'purvey changes tail --follow').action(async (options: Options) => {
    const { client, out } = openCommand(options);
    let head = true;
    const print = (items: ChangeAnswer[]) => {
      if (out.json) for (const item of items) printJson({ ...out, terminal: false }, item);
      else if (items.length > 0) {
        const columns: Column<ChangeAnswer>[] = [
          { head: 'SEQ', value: (row) => row.seq },
          { head: 'AT', value: (row) => row.at },
          { head: 'KIND', value: (row) => row.subject.kind },
          { head: 'NAME', value: (row) => row.subject.name },
          { head: 'LIFE', value: (row) => row.subject.life },
          { head: 'MEMBER', value: (row) => row.other?.name },
          { head: 'DOOR', value: (row) => row.door },
          { head: 'BY', value: (row) => row.actor },
          { head: 'FOR', value: (row) => row.serviceProvider },
        ];
        printRows(out, items, items, columns, head);
        head = false;
      }
    };
    let after = options.after;
    for (;;) {
      const limit = after === undefined ? Math.min(options.lines, 1_000) : 1_000;
      const page = await client.get<AgingPage<ChangeAnswer>>('/changes', { after, limit });
      if (page.gone !== null && head) process.stderr.write(`${page.gone}\n`);
      print(page.items);
      after = page.items.at(-1)?.seq ?? after ?? 0;
      if (page.next !== null) continue;
      if (!options.follow) return;
      await sleep(pollMs);
    }
  });
}
