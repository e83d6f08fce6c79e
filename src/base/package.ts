import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Whether this runs from its sources, not from what `npm run build` made of them. */
export const isFromSources = import.meta.filename.endsWith('.ts');

/** The folder of the package: there lie `package.json`, `examples` and `dist`. */
export const packageFolder = findUp(import.meta.dirname);

export function readVersion(): string {
  return (JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string }).version;
}

function findUp(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findUp(dirname(folder));
}
