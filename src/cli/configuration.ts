import type { Command } from 'commander';
import { dataFiles, variables } from '../config.ts';
import { PolicyAnswer } from '../contract/target.ts';

/** `purvey configuration`: prints `docs/configuration.md`. */
export function addConfiguration(program: Command): void {
  program
    .command('configuration')
    .description('print every setting of the server and of targets, as docs/configuration.md has them')
    .addHelpText('after', '\nExample:\n  purvey configuration > docs/configuration.md')
    .action(() => {
      process.stdout.write(describeConfiguration());
    });
}

/** The page, in Markdown. */
export function describeConfiguration(): string {
  const settings = variables.map(({ name, help, fallback }) => `| \`${name}\` | ${cell(help)} | ${cell(fallback)} |`);
  const files = dataFiles.map(({ name, help }) => `| \`${name}\` | ${cell(help)} |`);
  const policy = Object.entries(PolicyAnswer.properties as Record<string, PolicyShape>).map(
    ([name, shape]) =>
      `| \`${name}\` | ${cell(allowed(shape))} | ${shape.default ?? '-'} | ${cell(shape.description ?? '')} |`,
  );
  return `# Configuration

This page is printed by \`purvey configuration\`; change it there.

## The server

Settings come from options of the command line, then the environment, then the file that \`PURVEY_CONFIG\` names. A value
that cannot be used stops the start with a message that names the setting and what is allowed.

| setting | meaning | default |
| --- | --- | --- |
${settings.join('\n')}

## Files in the data folder

| file | what it is |
| --- | --- |
${files.join('\n')}

## The policy of a target

Set with \`policy\` of a target in the admin API, or of a connector in the file of \`purvey apply\`.

| key | values | default | meaning |
| --- | --- | --- | --- |
${policy.join('\n')}

Schema extensions, for attributes of your own, are on [schemas.md](schemas.md).

The settings of each kind of connector are on its own page, such as [connectors/SCIM2.md](connectors/SCIM2.md).
`;
}

type PolicyShape = {
  type?: string;
  description?: string;
  default?: string | number;
  minimum?: number;
  maximum?: number;
  enum?: string[];
};

function allowed(shape: PolicyShape): string {
  if (shape.enum) return shape.enum.map((one) => `\`${one}\``).join(', ');
  if (shape.type === 'array') return 'list of texts';
  if (shape.minimum === undefined) return 'text';
  const kind = shape.type === 'integer' ? 'whole number' : 'number';
  return `${kind}, ${shape.minimum} to ${shape.maximum}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
