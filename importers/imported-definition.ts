import { compileFiles } from '../compiler/compile-files.ts';
import type { Definition } from '../compiler/definition.ts';
import { chooseAction, makePlaceholder } from './choose-action.ts';
import type { JobAction } from './choose-action.ts';
import { writeDefinition } from './definition-text.ts';
import type { DefinitionNames } from './definition-text.ts';
import type { FoundJob, ReportAdvice } from './found-job.ts';

/** A job as a definition that lints clean. */
export interface ImportedDefinition {
  id: string;
  job: FoundJob;
  action: JobAction;
  advice: ReportAdvice;
  text: string;
  definition: Definition;
}

/** Neither the request nor a placeholder could be compiled; that is a fault of the importer, told by what lint says. */
export interface ImportFault {
  id: string;
  job: FoundJob;
  messages: string[];
}

/**
 * Writes the definition of a job and compiles it, under `strict`, as `file`. A request that does not compile gives way to
 * a placeholder. `program` is how the old runner is to call actcore.
 */
export function importJob(
  job: FoundJob,
  names: DefinitionNames,
  { program, file, now }: { program: string; file: string; now: Date },
): ImportedDefinition | ImportFault {
  const { id, source } = names;
  const advice = job.advise({ program, id, source });
  const chosen = chooseAction(job, id);
  const first = compileAs(job, chosen, names, advice, file, now);
  if ('text' in first) return first;
  if (chosen.kind === 'placeholder') return first;
  const reason = `its request cannot be said by a definition (${first.messages[0] ?? ''})`;
  return compileAs(job, makePlaceholder(id, reason), names, advice, file, now);
}

function compileAs(
  job: FoundJob,
  action: JobAction,
  names: DefinitionNames,
  advice: ReportAdvice,
  file: string,
  now: Date,
): ImportedDefinition | ImportFault {
  const { id } = names;
  const text = writeDefinition(job, action, names, advice);
  const { definitions, problems } = compileFiles([{ file, text }], { strict: true, now });
  const [definition] = definitions;
  if (definition === undefined) return { id, job, messages: problems.map(({ message }) => message) };
  return { id, job, action, advice, text, definition };
}
