import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { FederationAnswer } from '../contract/federation.ts';
import type { IdentityProviderAnswer } from '../contract/identity-provider.ts';
import type { OAuthClientAnswer } from '../contract/oauth-client.ts';
import type { List } from '../contract/page.ts';
import type { RulePolicyAnswer } from '../contract/policy.ts';
import type { ServiceProviderAnswer } from '../contract/service-provider.ts';
import type { DomainAnswer } from '../contract/subject.ts';
import type { TargetAnswer } from '../contract/target.ts';
import { readIfThere } from './apply-steps.ts';
import { CliError, type Client } from './client.ts';
import { asClientCommand, openCommand } from './command.ts';
import { type Configuration, writeApplyFile } from './export-file.ts';

/** `purvey export`. */
export function addExport(program: Command): void {
  const command = program
    .command('export')
    .description('write the configuration as a file that apply reads, with a variable in place of each secret')
    .option('-f, --file <file>', 'where to; - is standard output', '-');
  asClientCommand(command, 'purvey export -f purvey.yaml').action(
    async (options: { json?: boolean; url?: string; data?: string; file: string }) => {
      const { client, out } = openCommand(options);
      const { text, placeholders } = writeApplyFile(await readConfiguration(client), out.json ? 'json' : 'yaml');
      if (options.file === '-') {
        out.write(text);
      } else {
        try {
          writeFileSync(options.file, text);
        } catch (error) {
          throw new CliError(`${options.file} cannot be written: ${(error as Error).message}`);
        }
      }
      if (options.file !== '-' || out.terminal) {
        for (const { name, target, setting } of placeholders) {
          process.stderr.write(`not exported: ${setting} of ${target}; apply takes it from ${name}\n`);
        }
      }
    },
  );
}

async function readConfiguration(client: Client): Promise<Configuration> {
  const list = async <T>(path: string) => (await client.get<List<T>>(path)).items;
  const serviceProviders = await list<ServiceProviderAnswer>('/service-providers');
  const oauthClients: OAuthClientAnswer[] = [];
  for (const { id, resident } of serviceProviders) {
    const found = resident
      ? undefined
      : await readIfThere<OAuthClientAnswer>(client, `/service-providers/${id}/oauth-client`);
    if (found) oauthClients.push(found);
  }
  const identityProviders = await list<IdentityProviderAnswer>('/identity-providers');
  const federations: FederationAnswer[] = [];
  for (const { id } of identityProviders) {
    federations.push(await client.get<FederationAnswer>(`/identity-providers/${id}/federation`));
  }
  return {
    domains: await list<DomainAnswer>('/user-store-domains'),
    identityProviders,
    federations: federations.filter(({ modifiedAt }) => modifiedAt !== null),
    targets: await list<TargetAnswer>('/targets'),
    policies: await list<RulePolicyAnswer>('/policies'),
    serviceProviders,
    oauthClients,
  };
}
