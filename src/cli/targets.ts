import type { Command } from 'commander';
import type { List } from '../contract/page.ts';
import type { ServiceProviderAnswer } from '../contract/service-provider.ts';
import type { TargetAnswer, TestAnswer } from '../contract/target.ts';
import { asClientCommand, openCommand, readCount } from './command.ts';
import { printFields, printRows } from './output.ts';

type Options = { json?: boolean; url?: string; data?: string };

const whichTarget = 'id or name, such as partner:SCIM2';

/** `purvey targets list|show|pause|resume|remove|test`. */
export function addTargets(program: Command): void {
  const group = program.command('targets').description('look at targets and test them');

  asClientCommand(group.command('list').description('list targets'), 'purvey targets list').action(
    async (options: Options) => {
      const { client, out } = openCommand(options);
      const { items } = await client.get<List<TargetAnswer>>('/targets');
      printRows(out, { items }, items, [
        { head: 'TARGET', value: (row) => row.name },
        { head: 'ENABLED', value: (row) => row.enabled && row.identityProvider.enabled },
        { head: 'PAUSED', value: (row) => row.paused !== null },
        { head: 'WAITING', value: (row) => row.waiting },
        { head: 'VERSION', value: (row) => row.version },
        { head: 'MODIFIED', value: (row) => row.modifiedAt },
        { head: 'ID', value: (row) => row.id },
      ]);
    },
  );

  const show = group.command('show').argument('<target>', whichTarget).description('show settings and policy');
  asClientCommand(show, 'purvey targets show partner:SCIM2').action(async (name: string, options: Options) => {
    const { client, out } = openCommand(options);
    const target = await client.get<TargetAnswer>(`/targets/${encodeURIComponent(name)}`);
    const { items: providers } = await client.get<List<ServiceProviderAnswer>>('/service-providers');
    printFields(out, target, [
      ['target', target.name],
      ['id', target.id],
      ['enabled', target.enabled],
      [
        'identity provider',
        `${target.identityProvider.name}${target.identityProvider.enabled ? '' : ' (switched off)'}`,
      ],
      ['paused', target.paused ? `since ${target.paused.since} by ${target.paused.by}` : 'no'],
      ['waiting', target.waiting],
      ['version', target.version],
      ['bound by', describeBindings(providers, target.id)],
      ...Object.entries(target.settings).map(([key, value]): [string, unknown] => [
        key,
        typeof value === 'object' ? '(set)' : value,
      ]),
      ...Object.entries(target.policy).map(([key, value]): [string, unknown] => [`policy.${key}`, value]),
    ]);
  });

  for (const [word, what] of [
    ['pause', 'send nothing to a target until it is resumed; what happens meanwhile waits'],
    ['resume', 'go on sending to a target'],
  ] as const) {
    const command = group.command(word).argument('<target>', whichTarget).description(what);
    asClientCommand(command, `purvey targets ${word} partner:SCIM2`).action(async (name: string, options: Options) => {
      const { client, out } = openCommand(options);
      const path = `/targets/${encodeURIComponent(name)}/${word}`;
      const { answer } = await client.send<TargetAnswer>('POST', path);
      const wait = `${answer.waiting} ${answer.waiting === 1 ? 'account waits' : 'accounts wait'}`;
      const how = answer.paused ? `paused since ${answer.paused.since} by ${answer.paused.by}` : 'goes on';
      printFields(out, answer, [[answer.name, `${how}; ${wait}`]]);
    });
  }

  const remove = group
    .command('remove')
    .argument('<target>', whichTarget)
    .option(
      '--forget <count>',
      'how many accounts are known there: they stay there, and Purvey forgets them',
      readCount(0),
    )
    .description(
      'take a target away; without --forget it says how many accounts are known there, and takes it only if none',
    );
  asClientCommand(remove, 'purvey targets remove partner:SCIM2 --forget 1204').action(
    async (name: string, options: Options & { forget?: number }) => {
      const { client, out } = openCommand(options);
      const query = options.forget === undefined ? '' : `?forget=${options.forget}`;
      await client.send('DELETE', `/targets/${encodeURIComponent(name)}${query}`);
      printFields(out, { removed: name }, [[name, 'removed']]);
    },
  );

  const test = group
    .command('test')
    .argument('<target>', whichTarget)
    .description('test the connection; changes nothing there. Exit code 1 when a step fails');
  asClientCommand(test, 'purvey targets test partner:SCIM2').action(async (name: string, options: Options) => {
    const { client, out } = openCommand(options);
    const { answer } = await client.send<TestAnswer>('POST', `/targets/${encodeURIComponent(name)}/test`, {});
    printRows(out, answer, answer.steps, [
      { head: 'STEP', value: (row) => row.step },
      { head: 'RESULT', value: (row) => (row.skipped ? 'skipped' : row.ok ? 'ok' : 'failed') },
      { head: 'REASON', value: (row) => row.reason },
    ]);
    if (!answer.ok) process.exitCode = 1;
  });
}

/** `resident (blocking, fails), payroll (switched off)`; undefined when nobody is. */
function describeBindings(providers: readonly ServiceProviderAnswer[], targetId: number): string | undefined {
  const bound = providers.flatMap(({ name, bindings }) =>
    bindings
      .filter((binding) => binding.targetId === targetId)
      .map(({ blocking, onFailure, enabled }) => {
        const facts = [blocking ? 'blocking' : [], onFailure === 'fail' ? 'fails' : [], enabled ? [] : 'switched off'];
        return facts.flat().length === 0 ? name : `${name} (${facts.flat().join(', ')})`;
      }),
  );
  return bound.length === 0 ? undefined : bound.join(', ');
}
