import { enableCompileCache } from 'node:module';
import { Command, CommanderError } from 'commander';
import { readVersion } from '../base/package.ts';

enableCompileCache();

type Add = (program: Command) => void;

/** Every command by name, in the order of the help; a file is loaded when it is needed. */
const commands: Record<string, () => Promise<Add>> = {
  serve: async () => (await import('./serve.ts')).addServe,
  demo: async () => (await import('./demo.ts')).addDemo,
  migrate: async () => (await import('./migrate.ts')).addMigrate,
  apply: async () => (await import('./apply.ts')).addApply,
  export: async () => (await import('./export.ts')).addExport,
  users: async () => (await import('./subjects.ts')).addUsers,
  groups: async () => (await import('./subjects.ts')).addGroups,
  targets: async () => (await import('./targets.ts')).addTargets,
  sync: async () => (await import('./sync.ts')).addSync,
  accounts: async () => (await import('./accounts.ts')).addAccounts,
  changes: async () => (await import('./changes.ts')).addChanges,
  admin: async () => (await import('./admin.ts')).addAdmin,
  tokens: async () => (await import('./tokens.ts')).addTokens,
  oauth: async () => (await import('./oauth.ts')).addOAuth,
  rules: async () => (await import('./rules.ts')).addRules,
  status: async () => (await import('./status.ts')).addStatus,
  configuration: async () => (await import('./configuration.ts')).addConfiguration,
};

/** Exit codes: 0 done, 1 it could not be done, 2 the command line is wrong. */
async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('purvey')
    .description('Keeps every application in step with one directory of people.')
    .version(readVersion(), '--version', 'say which version this is')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(see --help)')
    .addHelpText('after', '\nExample:\n  purvey serve\n  purvey serve --help   lists the settings and files');
  const wanted = argv[2] === undefined ? undefined : commands[argv[2]];
  for (const load of wanted ? [wanted] : Object.values(commands)) (await load())(program);
  await program.parseAsync(argv);
}

// A reader that has seen enough, such as head, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await run(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    const { name, message } = error as Error;
    const isPlain = ['CliError', 'ConfigError', 'StartError', 'Problem'].includes(name);
    process.stderr.write(`purvey: ${isPlain ? message : ((error as Error).stack ?? message)}\n`);
    process.exitCode = 1;
  }
}
