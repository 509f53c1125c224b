import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The arguments that make Node run a program of this checkout, such as `cli/main`: the built one where there is one, else the sources. */
export function locateEntry(name: string): string[] {
  const built = fileURLToPath(new URL(`../${name}.js`, import.meta.url));
  if (existsSync(built)) return [built];
  const source = fileURLToPath(new URL(`../${name}.ts`, import.meta.url));
  return ['--import', import.meta.resolve('tsx'), source];
}
