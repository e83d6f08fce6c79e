import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import type { List } from '../contract/page.ts';
import type { RulePolicyAnswer, RuleRows, TryRulesAnswer } from '../contract/policy.ts';
import { type Change, CliError, type Client } from './client.ts';
import { asClientCommand, openCommand } from './command.ts';
import { type Output, printFields, printJson, printRows, showCell } from './output.ts';

type Options = { json?: boolean; url?: string; data?: string };
type TestOptions = Options & {
  operation?: string;
  serviceProvider?: string;
  at?: string;
  file?: string;
  trace?: boolean;
};

type ImportOptions = { referenced?: boolean; replaceRows?: boolean };

const pathOf = (name: string) => `/policies/${encodeURIComponent(name)}`;

/** `purvey rules list|show|import|export|enable|disable|remove|test`. */
export function addRules(program: Command): void {
  const group = program.command('rules').description('the XACML policies that bindings with Enable Rules ask');

  asClientCommand(group.command('list').description('list policies in their order'), 'purvey rules list').action(
    async (options: Options) => {
      const { client, out } = openCommand(options);
      const { items } = await client.get<List<RulePolicyAnswer>>('/policies');
      printRows(out, { items }, items, [
        { head: 'POLICY', value: (row) => row.name },
        { head: 'ENABLED', value: (row) => row.enabled },
        { head: 'USE', value: (row) => row.use },
        { head: 'VERSION', value: (row) => row.version },
        { head: 'MODIFIED', value: (row) => row.modifiedAt },
        { head: 'BY', value: (row) => row.modifiedBy },
      ]);
    },
  );

  const show = group
    .command('show')
    .argument('<policy>', 'id or name')
    .option('--xml', 'its XML, also of a policy that is made from rows')
    .description('print a policy: its rows in words, or its XML');
  asClientCommand(show, 'purvey rules show sales-only').action(
    async (name: string, options: Options & { xml?: boolean }) => {
      const { client, out } = openCommand(options);
      const policy = await client.get<RulePolicyAnswer>(pathOf(name));
      if (out.json) printJson(out, policy);
      else if (policy.rows && !options.xml) out.write(wordRows(policy.rows, policy.says ?? []));
      else out.write(policy.document.endsWith('\n') ? policy.document : `${policy.document}\n`);
    },
  );

  const bring = group
    .command('import')
    .argument('<files...>', 'XACML 3.0 files; each becomes the policy of its name without .xml')
    .option('--referenced', 'they are evaluated only where others refer to them')
    .option('--replace-rows', 'also where the policy is made from rows: it is text from then on, and the rows are gone')
    .description('put policies in force, or replace those of the same name; refused, with the line, if they cannot be');
  asClientCommand(bring, 'purvey rules import sales-only.xml').action(
    async (files: string[], options: Options & ImportOptions) => {
      const { client, out } = openCommand(options);
      const items: { name: string; change: Change }[] = [];
      for (const file of files) items.push(await importFile(client, file, options));
      printRows(out, { items }, items, [
        { head: 'POLICY', value: (row) => row.name },
        { head: 'CHANGE', value: (row) => row.change },
      ]);
    },
  );

  const take = group.command('export').argument('<folder>', 'where to').description('write every policy as a file');
  asClientCommand(take, 'purvey rules export policies/').action(async (folder: string, options: Options) => {
    const { client, out } = openCommand(options);
    const { items } = await client.get<List<RulePolicyAnswer>>('/policies');
    const files = items.map((policy) => ({ policy: policy.name, file: join(folder, `${policy.name}.xml`) }));
    try {
      mkdirSync(folder, { recursive: true });
      for (const [n, { file }] of files.entries()) writeFileSync(file, items[n]!.document);
    } catch (error) {
      throw new CliError(`${folder} cannot be written: ${(error as Error).message}`);
    }
    printRows(out, { items: files }, files, [{ head: 'FILE', value: (row) => row.file }]);
  });

  for (const [word, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const) {
    const command = group.command(word).argument('<policy>', 'id or name').description(`${word} a policy`);
    asClientCommand(command, `purvey rules ${word} sales-only`).action(async (name: string, options: Options) => {
      const { client, out } = openCommand(options);
      const { answer, change } = await client.send<RulePolicyAnswer>('PATCH', pathOf(name), { enabled });
      printFields(out, answer, [[answer.name, change === 'unchanged' ? `was ${word}d already` : `${word}d`]]);
    });
  }

  const remove = group.command('remove').argument('<policy>', 'id or name').description('remove a policy');
  asClientCommand(remove, 'purvey rules remove sales-only').action(async (name: string, options: Options) => {
    const { client, out } = openCommand(options);
    await client.send('DELETE', pathOf(name));
    printFields(out, { removed: name }, [[name, 'removed']]);
  });

  const test = group
    .command('test')
    .argument('<subject>', 'id or name of a user or group')
    .argument('<target>', 'id or name, such as partner:SCIM2')
    .option('--operation <operation>', 'POST, PUT, PATCH or DELETE (default: what would be sent now)')
    .option('--service-provider <name>', 'for whom it would be done (default: resident)')
    .option('--at <moment>', 'when, such as 2026-11-25T09:30:00+01:00 (default: now)')
    .option('--file <file>', 'with this policy too, instead of the one of the same name, without saving it')
    .option('--trace', 'how each policy and rule came to its decision')
    .description('ask the rules without sending anything. Exit code 1 unless it would be let through');
  asClientCommand(test, 'purvey rules test ada.lovelace partner:SCIM2 --operation DELETE').action(
    async (subject: string, target: string, options: TestOptions) => {
      const { client, out } = openCommand(options);
      const { answer } = await client.send<TryRulesAnswer>('POST', '/policies/try', {
        subject,
        target,
        operation: options.operation,
        serviceProvider: options.serviceProvider,
        at: options.at,
        ...(options.file === undefined ? {} : { draft: { name: nameOf(options.file), document: read(options.file) } }),
      });
      printTest(out, answer, options.trace ?? false);
      if (answer.action !== 'let-through') process.exitCode = 1;
    },
  );
}

function wordRows(rows: RuleRows, says: readonly string[]): string {
  const { description, where = {}, removals = 'always', otherwise = 'nothing' } = rows;
  const { identityProviders = [], connectorTypes = [], serviceProviders = [] } = where;
  const places = [
    ...(identityProviders.length > 0 ? [`at ${identityProviders.join(' or ')}`] : []),
    ...(connectorTypes.length > 0 ? [`through ${connectorTypes.join(' or ')}`] : []),
    ...(serviceProviders.length > 0 ? [`for ${serviceProviders.join(' or ')}`] : []),
  ];
  const head = [
    ...(description === undefined ? [] : [description]),
    ...(places.length === 0 ? [] : [`Only ${places.join(', ')}.`]),
  ];
  const lines = [
    ...(removals === 'always' ? ['Let through every removal.'] : []),
    ...says.map((sentence, n) => `${n + 1}. ${sentence}`),
    otherwise === 'withhold' ? 'Withhold everything else.' : 'Nothing is said of everything else.',
  ];
  return [...head, 'The first that applies decides:', ...lines, ''].join('\n');
}

function printTest(out: Output, answer: TryRulesAnswer, trace: boolean): void {
  if (out.json) {
    printJson(out, answer);
    return;
  }
  printFields(out, answer, [
    ['operation', answer.operation],
    ['for', answer.serviceProvider],
    ['at', answer.at],
    ['decision', answer.decision],
    ['what follows', answer.action.replace('-', ' ')],
    ['reason', answer.reason],
    ['reads the clock', answer.readsClock],
  ]);
  if (trace) for (const node of answer.trace) printTrace(out, node as unknown as TraceLine, 0);
}

type TraceLine = {
  kind: string;
  id: string;
  name?: string;
  line: number;
  description?: string;
  decision: string;
  target: string;
  mismatches: ExplanationLine[];
  condition?: ExplanationLine;
  children: TraceLine[];
  skipped: number;
};
type ExplanationLine = { expression: string; value: string; parts: ExplanationLine[] };

function printTrace(out: Output, node: TraceLine, depth: number): void {
  const say = (more: number, text: string) => out.write(`${'  '.repeat(depth + more)}${showCell(text)}\n`);
  const name = node.name === undefined || node.name === node.id ? '' : `, ${node.name}`;
  say(0, `${node.kind} ${node.id} (line ${node.line}${name}): ${node.decision}; target: ${node.target}`);
  if (node.kind === 'rule' && node.description) say(1, node.description);
  const explain = (one: ExplanationLine, more: number): void => {
    say(more, `${one.expression} = ${one.value}`);
    for (const part of one.parts) explain(part, more + 1);
  };
  for (const mismatch of node.mismatches) explain(mismatch, 1);
  if (node.condition) explain(node.condition, 1);
  for (const child of node.children) printTrace(out, child, depth + 1);
  if (node.skipped > 0) say(1, `${node.skipped} more, whose targets cannot match`);
}

async function importFile(
  client: Client,
  file: string,
  options: ImportOptions,
): Promise<{ name: string; change: Change }> {
  const name = nameOf(file);
  const body = { name, document: read(file), use: options.referenced ? 'referenced' : 'evaluated' };
  const { items } = await client.get<List<RulePolicyAnswer>>('/policies');
  const known = items.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (known?.rows && known.document !== body.document && !options.replaceRows) {
    throw new CliError(
      `${file}: ${known.name} is made from rows, and they would be gone. Say --replace-rows to have it as text.`,
    );
  }
  try {
    const { change } = known
      ? await client.send('PATCH', `/policies/${known.id}`, body)
      : await client.send('POST', '/policies', body);
    return { name, change };
  } catch (error) {
    if (error instanceof CliError) throw new CliError(`${file}: ${error.message}`);
    throw error;
  }
}

const nameOf = (file: string) => basename(file).replace(/\.(?:xml|xacml)$/i, '');

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`);
  }
}
