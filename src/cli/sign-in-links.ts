import type { Command } from 'commander';
import type { List, Page } from '../contract/page.ts';
import type { SignInLinkAnswer, SignInLinkInput } from '../contract/sign-in-link.ts';
import { CliError, type Client } from './client.ts';
import { asClientCommand, openCommand, readCount } from './command.ts';
import { printJson, printRows } from './output.ts';

type Options = { json?: boolean; url?: string; data?: string };
type ListOptions = Options & { through?: string; search?: string; limit: number; all?: boolean };

const pathOf = (user: string) => `/users/${encodeURIComponent(user)}/links`;

/** `purvey users links|link|unlink`: who people of identity providers are here. */
export function addSignInLinks(users: Command): void {
  const links = users
    .command('links')
    .argument('[user]', 'id or name')
    .option('--through <identity-provider>', 'those of all who sign in through it')
    .option('--search <text>', 'with --through: the beginning of a user name, or of what somebody is called there')
    .option('--limit <number>', 'with --through: at most so many', readCount(1), 100)
    .option('--all', 'with --through: all of them')
    .description('how a user signs in through identity providers, or who does through one');
  asClientCommand(links, 'purvey users links ada\n  purvey users links --through partner --search u-').action(
    async (user: string | undefined, options: ListOptions) => {
      const { through } = options;
      if ((user === undefined) === (through === undefined)) {
        throw new CliError('name one user, or an identity provider with --through');
      }
      const { client, out } = openCommand(options);
      const { rows, more } =
        through === undefined
          ? { rows: await listOf(client, user!), more: false }
          : await listAt(client, through, options);
      printRows(out, { items: rows, more }, rows, [
        { head: 'USER', value: (row) => row.user.name },
        { head: 'IDENTITY PROVIDER', value: (row) => row.identityProvider.name },
        { head: 'IS THERE', value: (row) => row.subject },
        { head: 'LINKED', value: (row) => row.linkedAt },
        { head: 'BY', value: describeRule },
        { head: 'LAST CAME', value: (row) => row.lastSignInAt },
        { head: 'WORKS', value: describeState },
      ]);
      if (out.terminal && !out.json && more) out.write('there are more; see them with --limit or --all\n');
    },
  );

  const link = users
    .command('link')
    .argument('<user>', 'id or name')
    .argument('<identity-provider>', 'id or name')
    .argument('<subject>', 'what it calls them: sub, or with SAML the name identifier')
    .description('say who a user is at an identity provider');
  asClientCommand(link, 'purvey users link ada partner 248289761001').action(
    async (user: string, identityProvider: string, subject: string, options: Options) => {
      const { client, out } = openCommand(options);
      const body: SignInLinkInput = { identityProvider, subject };
      const { answer } = await client.send<SignInLinkAnswer>('POST', pathOf(user), body);
      if (out.json) return printJson(out, answer);
      out.write(`${answer.user.name} is ${answer.subject} of ${answer.identityProvider.name}\n`);
      if (answer.whyNot !== null) out.write(`this does not work yet: ${answer.whyNot}\n`);
    },
  );

  const unlink = users
    .command('unlink')
    .argument('<user>', 'id or name')
    .argument('<identity-provider>', 'id or name')
    .argument('[subject]', 'which one, where the user is several there')
    .description('end that a user is somebody at an identity provider; who is signed in stays so');
  asClientCommand(unlink, 'purvey users unlink ada partner').action(
    async (user: string, identityProvider: string, subject: string | undefined, options: Options) => {
      const { client, out } = openCommand(options);
      const found = choose(await listOf(client, user), { user, identityProvider, subject });
      await client.send('DELETE', `${pathOf(user)}/${found.id}`);
      if (out.json) return printJson(out, { user: found.user.name, subject: found.subject, unlinked: true });
      out.write(`${found.user.name} is not ${found.subject} of ${found.identityProvider.name} any more\n`);
    },
  );
}

function choose(
  links: readonly SignInLinkAnswer[],
  asked: { user: string; identityProvider: string; subject: string | undefined },
): SignInLinkAnswer {
  const { user, identityProvider, subject } = asked;
  const wanted = identityProvider.toLowerCase();
  const present = links.filter(({ ended, identityProvider: { id, name } }) => {
    return ended === null && (String(id) === wanted || name.toLowerCase() === wanted);
  });
  const meant = subject === undefined ? present : present.filter((one) => one.subject === subject);
  const [one, other] = meant;
  if (!one) {
    const what = subject === undefined ? 'nobody' : `not ${subject}`;
    throw new CliError(`${user} is ${what} at ${identityProvider}: see purvey users links ${user}`);
  }
  if (!other) return one;
  const names = meant.map((each) => `${each.subject} (${each.issuer})`).join(', ');
  throw new CliError(
    `${user} is several at ${identityProvider}: ${names}. Name one, or unlink it by its id in the API`,
  );
}

async function listOf(client: Client, user: string): Promise<SignInLinkAnswer[]> {
  return (await client.get<List<SignInLinkAnswer>>(pathOf(user))).items;
}

async function listAt(
  client: Client,
  identityProvider: string,
  options: ListOptions,
): Promise<{ rows: SignInLinkAnswer[]; more: boolean }> {
  const rows: SignInLinkAnswer[] = [];
  const wanted = options.all ? Number.POSITIVE_INFINITY : options.limit;
  let after: string | null = null;
  do {
    const query = { search: options.search, limit: Math.min(1_000, wanted - rows.length), after: after ?? undefined };
    const path = `/identity-providers/${encodeURIComponent(identityProvider)}/links`;
    const page: Page<SignInLinkAnswer> = await client.get(path, query);
    rows.push(...page.items);
    after = page.next;
  } while (after !== null && rows.length < wanted);
  return { rows, more: after !== null };
}

function describeRule({ rule, by }: SignInLinkAnswer): string | null {
  if (rule === null) return null;
  return {
    jit: 'made just in time',
    prompt: 'made just in time, when asked',
    verifiedEmail: 'a verified address',
    hand: `${by}, by hand`,
  }[rule];
}

function describeState({ works, whyNot, ended }: SignInLinkAnswer): string {
  if (ended) return `no: unlinked by ${ended.by}, ${ended.at}`;
  return works ? 'yes' : `no: ${whyNot}`;
}
