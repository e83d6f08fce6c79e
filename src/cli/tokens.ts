import { type Command, InvalidArgumentError } from 'commander';
import type { List } from '../contract/page.ts';
import type { TokenAnswer, TokenListItem } from '../contract/token.ts';
import { asClientCommand, openCommand, readCount } from './command.ts';
import { printFields, printJson, printRows } from './output.ts';

type Options = { json?: boolean; url?: string; data?: string };
type CreateOptions = Options & { label: string; scope: string[]; serviceProvider?: string; expires?: string };

/** `purvey tokens create|list|revoke`. */
export function addTokens(program: Command): void {
  const group = program.command('tokens').description('API tokens: for applications and for these commands');

  const create = group
    .command('create')
    .description('make a token; it is shown this one time')
    .requiredOption('--label <text>', 'what it is for')
    .requiredOption('--scope <scopes>', 'scim, admin, or both with a comma', (text: string) => text.split(','))
    .option('--service-provider <name>', 'whom calls with it are made for (default: resident)')
    .option('--expires <time>', 'when it ends: a time such as 2030-01-31, or a span such as 90d or 12h', readExpiry);
  asClientCommand(create, 'purvey tokens create --label "HR system" --scope scim --expires 90d').action(
    async (options: CreateOptions) => {
      const { client, out } = openCommand(options);
      const { answer } = await client.send<TokenAnswer>('POST', '/tokens', {
        label: options.label,
        scopes: options.scope,
        ...(options.serviceProvider === undefined ? {} : { serviceProvider: options.serviceProvider }),
        ...(options.expires === undefined ? {} : { expiresAt: options.expires }),
      });
      printFields(out, answer, [
        ['token', answer.token],
        ['id', answer.id],
        ['label', answer.label],
        ['service provider', answer.serviceProvider],
        ['scopes', answer.scopes.join(' ')],
        ['expires', answer.expiresAt ?? 'never'],
      ]);
      if (out.terminal && !out.json) out.write('\nThe token is not shown again.\n');
    },
  );

  asClientCommand(
    group.command('list').description('list tokens, never the tokens themselves'),
    'purvey tokens list',
  ).action(async (options: Options) => {
    const { client, out } = openCommand(options);
    const { items } = await client.get<List<TokenListItem>>('/tokens');
    printRows(out, { items }, items, [
      { head: 'ID', value: (row) => row.id },
      { head: 'LABEL', value: (row) => row.label },
      { head: 'SERVICE PROVIDER', value: (row) => row.serviceProvider },
      { head: 'SCOPES', value: (row) => row.scopes.join(' ') },
      { head: 'CREATED', value: (row) => row.createdAt },
      { head: 'EXPIRES', value: (row) => row.expiresAt ?? 'never' },
      { head: 'LAST USED', value: (row) => row.lastUsedAt ?? 'never' },
    ]);
  });

  const revoke = group
    .command('revoke')
    .argument('<id>', 'as the list shows it', readCount(1))
    .description('end a token: every server refuses it within five seconds');
  asClientCommand(revoke, 'purvey tokens revoke 3').action(async (id: number, options: Options) => {
    const { client, out } = openCommand(options);
    await client.send('DELETE', `/tokens/${id}`);
    if (out.json) printJson(out, { id, revoked: true });
    else out.write(`token ${id} is revoked; every server refuses it within five seconds\n`);
  });
}

const spanMs: Record<string, number> = { h: 3_600_000, d: 86_400_000 };

/** ISO 8601 of a time, or of a span from this moment on. */
function readExpiry(text: string): string {
  const span = /^([1-9]\d{0,5})([dh])$/.exec(text);
  const at = span ? Date.now() + Number(span[1]) * spanMs[span[2]!]! : Date.parse(text);
  if (!(span || /^\d{4}-\d\d-\d\d/.test(text)) || !(Math.abs(at) <= 8.64e15)) {
    throw new InvalidArgumentError('It must be a time such as 2030-01-31, or a span such as 90d or 12h.');
  }
  return new Date(at).toISOString();
}
