import type { Command } from 'commander';
import { readConfig } from '../config.ts';

/** `purvey admin reset-password`: for whoever may write the data folder or the database. */
export function addAdmin(program: Command): void {
  const group = program.command('admin').description('administrators of this server');
  group
    .command('reset-password')
    .argument('[name]', 'which administrator', 'admin')
    .description('give an administrator a one-time password; with SQLite only while the server is stopped')
    .option('--data <folder>', 'data folder (PURVEY_DATA)')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  PURVEY_DATA=/var/lib/purvey purvey admin reset-password admin')
    .action(async (name: string, options: { data?: string; json?: boolean }) => {
      process.umask(0o077);
      const config = readConfig({ PURVEY_DATA: options.data });
      const { resetPassword } = await import('../main.ts');
      const reset = await resetPassword(config, name);
      if (options.json) process.stdout.write(`${JSON.stringify(reset)}\n`);
      else process.stdout.write(describeReset(reset, config.databaseUrl !== undefined));
    });
}

function describeReset({ name, password }: { name: string; password: string }, mayRun: boolean): string {
  const since = mayRun ? 'Running servers know it within five seconds.' : 'Start the server again: purvey serve';
  return `The administrator ${name} has the password

    ${password}

It is not shown again and must be changed before anything else can be done with it:
POST /api/password with {"newPassword": "..."}. ${since}
`;
}
