import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Argument } from 'commander';
import type { Command } from 'commander';
import { compileFiles, prepareCompiler } from '../../compiler/compile-files.ts';
import type { Definition } from '../../compiler/definition.ts';
import { scaffoldDefinition } from '../../compiler/scaffold.ts';
import { kinds } from '../../compiler/schema.ts';
import type { DefinitionKeys } from '../../compiler/schema.ts';
import { quoteWord } from '../canary-gate.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { isDefinitionId, suggestDefinitionId } from '../definition-name.ts';
import { readSources } from '../definition-sources.ts';
import { Refusal } from '../refusal.ts';
import { defaultDefinitions } from '../settings.ts';

interface NewOptions extends CommonOptions {
  dir: string;
  title?: string;
  owner?: string;
}

/** The file that `actcore schema` is kept in, beside the definitions. */
const schemaFile = 'definition.schema.json';

export function addNew(program: Command, signal: AbortSignal): void {
  const command = program
    .command('new')
    .summary('write a new definition file')
    .description('Write a new definition file: complete, without a fault, and not enabled. Nothing is overwritten.')
    .addArgument(new Argument('<kind>', 'what it does: call an HTTP API, or check a database').choices([...kinds]))
    .argument('<name>', 'its id, such as team.nightly-sweep; also the name of the file')
    .option('--dir <folder>', 'where it is written', defaultDefinitions)
    .option('--title <text>', 'one line that is shown with every run (default: the words of the name)')
    .option('--owner <name>', 'who answers for it (default: the name up to its first dot, else you)');
  handle<NewOptions>(withJson(command), signal, async ({ settings, output }, options, [kind = '', name = '']) => {
    const id = requireId(name);
    const file = join(options.dir, `${id}.md`);
    const text = scaffoldDefinition(kind as DefinitionKeys['kind'], {
      id,
      owner: options.owner ?? ownerOf(id, settings.actor),
      ...(options.title === undefined ? {} : { title: options.title }),
      ...(existsSync(join(options.dir, schemaFile)) ? { schema: `./${schemaFile}` } : {}),
    });
    if (existsSync(file)) refuseOverwriting(file);
    const definition = await requireSound(file, text, options.dir);
    writeNew(file, text, options.dir);
    output.data({ file, id, kind });
    output.line(`${file} is written, and lint finds nothing wrong with it`);
    output.line(describeSteps(definition, options.dir).join('\n'));
  });
}

function requireId(name: string): string {
  if (isDefinitionId(name)) return name;
  const meant = suggestDefinitionId(name);
  const form = 'An id is dotted kebab-case, such as team.nightly-sweep, and at most 200 characters long.';
  throw new Refusal(`\`${name}\` cannot be an id`, meant === undefined ? form : `Did you mean ${meant}? ${form}`);
}

function ownerOf(id: string, actor: string): string {
  const dot = id.indexOf('.');
  return dot > 0 ? id.slice(0, dot) : actor.replace(/@[^@]*$/, '') || 'nobody';
}

/** Compiles it among its neighbours, so that an id which one of them has, or had, is not given away twice. */
async function requireSound(file: string, text: string, folder: string): Promise<Definition> {
  const { files } = existsSync(folder) ? await readSources([folder]) : { files: [] };
  const all = [...files, { file, text }];
  await prepareCompiler(all);
  const { definitions, problems } = compileFiles(all, { strict: true });
  const about = problems.filter((problem) => problem.file === file || problem.message.includes(`${file}:`));
  const definition = definitions.find((one) => one.file === file);
  if (definition !== undefined && about.length === 0) return definition;
  const reasons = about.map(({ path, message }) => (['title', 'owner'].includes(path) ? `--${path}: ` : '') + message);
  throw new Refusal(`${file} is not written: ${reasons.join('; ')}`);
}

function writeNew(file: string, text: string, folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') refuseOverwriting(file);
    throw new Refusal(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function refuseOverwriting(file: string): never {
  throw new Refusal(`${file} is there already`, 'Edit it, or choose another name.');
}

/** What is done with a new definition, in this order. */
function describeSteps(definition: Definition, folder: string): string[] {
  const file = quoteWord(definition.file);
  const apply = folder === defaultDefinitions ? 'actcore apply' : `actcore apply ${quoteWord(folder)}`;
  const steps = [
    'edit it: what it does, and what somebody has to know at 03:00',
    `actcore lint ${file}`,
    `actcore simulate ${file}`,
    ...(definition.order.kind === 'watchdog' ? [] : [`actcore try ${file}`]),
    `actcore canary ${file}`,
    `write \`enabled: true\` into it, then: ${apply}`,
  ];
  return ['Next:', ...steps.map((step, index) => `  ${index + 1}. ${step}`)];
}
