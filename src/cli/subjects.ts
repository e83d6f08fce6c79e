import type { Command } from 'commander';
import type { SubjectAnswer, SubjectDetail, SubjectList } from '../contract/subject.ts';
import { asClientCommand, openCommand, readCount } from './command.ts';
import { printFields, printJson, printRows } from './output.ts';
import { addSignInLinks } from './sign-in-links.ts';

type ListOptions = { json?: boolean; url?: string; data?: string; filter?: string; limit: number; all?: boolean };

/** `purvey users list|show|unlock|links|link|unlink`. */
export function addUsers(program: Command): void {
  const group = addSubjects(program, 'users');
  const unlock = group
    .command('unlock')
    .argument('<user>', 'id or name')
    .description('let a user sign in again who was locked by wrong passwords');
  asClientCommand(unlock, 'purvey users unlock ada').action(
    async (name: string, options: { json?: boolean; url?: string; data?: string }) => {
      const { client, out } = openCommand(options);
      await client.send('POST', `/users/${encodeURIComponent(name)}/unlock`);
      if (out.json) printJson(out, { user: name, unlocked: true });
      else out.write(`${name} may sign in again\n`);
    },
  );
  addSignInLinks(group);
}

/** `purvey groups list|show`. */
export function addGroups(program: Command): void {
  addSubjects(program, 'groups');
}

function addSubjects(program: Command, kind: 'users' | 'groups'): Command {
  const one = kind.slice(0, -1);
  const group = program.command(kind).description(`look at the ${kind} of the directory`);
  const list = group
    .command('list')
    .description(`list ${kind}`)
    .option('--filter <filter>', 'SCIM filter')
    .option('--limit <number>', 'at most so many', readCount(1), 100)
    .option('--all', 'all of them');
  const name = kind === 'users' ? 'userName' : 'displayName';
  asClientCommand(list, `purvey ${kind} list --filter '${name} sw "s"' --limit 20`).action(
    async (options: ListOptions) => {
      const { client, out } = openCommand(options);
      const rows: SubjectAnswer[] = [];
      let total = 0;
      const wanted = options.all ? Number.POSITIVE_INFINITY : options.limit;
      do {
        const limit = Math.min(1_000, wanted - rows.length);
        const query = { filter: options.filter, startIndex: rows.length + 1, limit };
        const page = await client.get<SubjectList>(`/${kind}`, query);
        total = page.total;
        rows.push(...page.items);
        if (page.items.length === 0) break;
      } while (rows.length < Math.min(wanted, total));
      printRows(out, { total, items: rows }, rows, [
        { head: 'NAME', value: (row) => row.name },
        { head: 'DISPLAY NAME', value: (row) => row.displayName },
        ...(kind === 'users' ? [{ head: 'ACTIVE', value: (row: SubjectAnswer) => row.active }] : []),
        { head: 'MODIFIED', value: (row) => row.modifiedAt },
        { head: 'ID', value: (row) => row.id },
      ]);
      if (out.terminal && !out.json && rows.length < total) {
        out.write(`${rows.length} of ${total}; more with --limit or --all\n`);
      }
    },
  );
  const show = group.command('show').argument(`<${one}>`, 'id or name').description(`show one ${one}`);
  asClientCommand(show, `purvey ${kind} show ${kind === 'users' ? 'ada' : '"Sales EMEA"'}`).action(
    async (name: string, options: ListOptions) => {
      const { client, out } = openCommand(options);
      const found = await client.get<SubjectDetail>(`/${kind}/${encodeURIComponent(name)}`);
      printFields(out, found, [
        ['name', found.name],
        ['id', found.id],
        ['domain', found.domain],
        ['created', found.createdAt],
        ['modified', found.modifiedAt],
        ...(found.lockedUntil ? ([['cannot sign in until', found.lockedUntil]] as [string, unknown][]) : []),
        ...Object.entries(found.attributes),
        ...found.groups.map((each): [string, unknown] => ['in group', each.name]),
        ...found.members.map((each): [string, unknown] => ['member', each.name]),
        ...found.accounts.map((each): [string, unknown] => [
          `at ${each.target}`,
          [each.state, each.remoteId, each.reason].filter((part) => part !== null).join(', '),
        ]),
      ]);
    },
  );
  return group;
}
