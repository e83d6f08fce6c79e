import { type Command, InvalidArgumentError } from 'commander';
import { type Client, type ClientOptions, openClient } from './client.ts';
import { type Output, openOutput } from './output.ts';

/** Adds what every command that talks to a server has. */
export function asClientCommand(command: Command, example: string): Command {
  return command
    .option('--json', 'print JSON')
    .option('--url <address>', 'the server (default: PURVEY_URL, else this machine)')
    .option(
      '--data <folder>',
      'data folder of a server on this machine, for its token (default: PURVEY_DATA, else ./data)',
    )
    .addHelpText('after', `\nExample:\n  ${example}`);
}

/** The client and the output that a command's options ask for. */
export function openCommand(options: ClientOptions & { json?: boolean }): { client: Client; out: Output } {
  return { client: openClient(options), out: openOutput(options) };
}

/** A whole number from an option. */
export function readCount(least: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least)) throw new InvalidArgumentError(`It must be a whole number from ${least}.`);
    return value;
  };
}
