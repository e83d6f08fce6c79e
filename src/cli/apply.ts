import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { readEnvironment } from '../config.ts';
import type { IdentityProviderAnswer } from '../contract/identity-provider.ts';
import type { List } from '../contract/page.ts';
import type { ServiceProviderAnswer } from '../contract/service-provider.ts';
import type { TargetAnswer } from '../contract/target.ts';
import { type ApplyFile, readApplyFile } from './apply-file.ts';
import { type Change, CliError, type Client } from './client.ts';
import { asClientCommand, openCommand } from './command.ts';
import { printJson } from './output.ts';

/** What was done to one object of the file. */
export type Applied = {
  kind: 'user store domain' | 'identity provider' | 'target' | 'service provider' | 'bindings';
  name: string;
  change: Change;
};

/** `purvey apply -f FILE`. */
export function addApply(program: Command): void {
  const apply = program
    .command('apply')
    .description('bring identity providers, targets, service providers and bindings in line with a file')
    .requiredOption('-f, --file <file>', 'YAML file; - reads standard input');
  asClientCommand(apply, 'PARTNER_TOKEN=… purvey apply -f examples/acme/purvey.yaml').action(
    async (options: { json?: boolean; url?: string; data?: string; file: string }) => {
      const file = readApplyFile(readText(options.file), options.file, readEnvironment);
      const { client, out } = openCommand(options);
      const applied = await applyFile(client, file, (one) => {
        if (!out.json)
          out.write(
            out.terminal ? `${one.kind} ${one.name} ${one.change}\n` : `${one.kind}\t${one.name}\t${one.change}\n`,
          );
      });
      if (out.json) printJson(out, { items: applied });
    },
  );
}

/**
 * Says the whole file to the server, object after object; what the file does not name stays as it is. Doing it again
 * changes nothing. Throws `CliError` naming the object at which it stopped: what came before it is done, and applying
 * the mended file goes on from there.
 */
export async function applyFile(client: Client, file: ApplyFile, tell: (one: Applied) => void): Promise<Applied[]> {
  const all: Applied[] = [];
  const did = async (kind: Applied['kind'], name: string, work: () => Promise<Change>) => {
    try {
      const one = { kind, name, change: await work() };
      all.push(one);
      tell(one);
    } catch (error) {
      if (!(error instanceof CliError) || error.status === undefined) throw error;
      const field = error.field === undefined ? '' : ` (${error.field})`;
      throw new CliError(`${kind} ${name}: ${error.message}${field}`, { status: error.status });
    }
  };
  for (const name of file.userStoreDomains) {
    await did(
      'user store domain',
      name,
      async () => (await client.send('POST', '/user-store-domains', { name })).change,
    );
  }
  for (const { fields, connectors } of file.identityProviders) {
    const path = `/identity-providers/${encodeURIComponent(fields.name)}`;
    await did('identity provider', fields.name, async () =>
      (await isThere<IdentityProviderAnswer>(client, path))
        ? (await client.send('PUT', path, fields)).change
        : (await client.send('POST', '/identity-providers', fields)).change,
    );
    for (const connector of connectors) {
      await did('target', `${fields.name}:${connector.type}`, async () => {
        const { items } = await client.get<List<TargetAnswer>>(`${path}/targets`);
        const known = items.find((target) => target.type === connector.type);
        return known
          ? (await client.send('PUT', `/targets/${known.id}`, connector)).change
          : (await client.send('POST', `${path}/targets`, connector)).change;
      });
    }
  }
  for (const { fields, outboundProvisioning } of file.serviceProviders) {
    const path = `/service-providers/${encodeURIComponent(fields.name)}`;
    await did('service provider', fields.name, async () => {
      if (!(await isThere<ServiceProviderAnswer>(client, path))) {
        return (await client.send('POST', '/service-providers', fields)).change;
      }
      const { name: _, ...rest } = fields;
      return Object.keys(rest).length === 0 ? 'unchanged' : (await client.send('PATCH', path, rest)).change;
    });
    if (outboundProvisioning === undefined) continue;
    const bindings = outboundProvisioning.map(({ identityProvider, connector, ...flags }) => ({
      target: `${identityProvider}:${connector}`,
      ...flags,
    }));
    await did('bindings', fields.name, async () => (await client.send('PUT', `${path}/bindings`, { bindings })).change);
  }
  return all;
}

async function isThere<T>(client: Client, path: string): Promise<boolean> {
  try {
    await client.get<T>(path);
    return true;
  } catch (error) {
    if (error instanceof CliError && error.status === 404) return false;
    throw error;
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`);
  }
}
