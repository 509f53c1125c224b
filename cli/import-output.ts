import { printProblems } from './definition-files.ts';
import type { ImportResult, ImportedFile } from './import-run.ts';
import { provenDays } from './import-proof.ts';
import type { Proof } from './import-proof.ts';
import type { Colors, Output } from './output.ts';
import { showLine, showText } from './printable.ts';
import { exitCodes } from './refusal.ts';
import type { ExitCode } from './refusal.ts';
import { formatTable } from './table.ts';

/** How many differences of a definition are printed; `--json` has all. */
const shownDifferences = 5;

/** With more jobs what takes several lines each is left to the definitions. */
const shownAdvice = 10;

/** The result as one JSON document. */
export function describeImport({ files, problems, notes }: ImportResult) {
  return {
    definitions: files.map(({ imported, proof, file, state, remark }) => {
      const { id, job, action, advice, definition } = imported;
      return {
        ...{ id, file, state },
        ...(remark === undefined ? {} : { remark }),
        origin: { file: job.file, line: job.line, column: job.column },
        does: action.kind,
        ...(action.kind === 'placeholder' ? { reason: action.reason, env: [action.variable] } : {}),
        ...('call' in action ? { env: action.call.env, secrets: action.call.secrets } : {}),
        schedule: job.schedule,
        sources: Object.keys(definition.sources),
        notes: [...('call' in action ? action.call.notes : []), ...job.notes],
        report: advice,
        proof,
      };
    }),
    problems,
    notes,
  };
}

/** 1 where something was not imported, not written or not proven. */
export function concludeImport({ files, problems }: ImportResult): ExitCode {
  const isWhole = files.every(({ proof, state }) => proof.isSame && state !== 'kept' && state !== 'taken');
  return isWhole && problems.length === 0 ? exitCodes.ok : exitCodes.failed;
}

/** Prints the result for a person. `texts` are the files that were read, for the lines at fault. */
export function printImport(result: ImportResult, texts: Map<string, string>, output: Output): void {
  const { files, problems, notes } = result;
  const { colors } = output;
  if (files.length > 0) output.line(formatImports(files, output));
  for (const file of files) for (const line of explainProof(file, colors)) output.line(line);
  const waiting = files.filter(({ imported }) => imported.action.kind === 'placeholder');
  if (waiting.length > 0) {
    output.line();
    output.line(colors.bold(`Need an endpoint before they can be enabled (${waiting.length}):`));
    for (const [reason, ids] of groupByReason(waiting)) {
      output.line(`  ${colors.yellow(showLine(reason))}`);
      output.line(`    ${ids.join(', ')}`);
    }
  }
  printAdvice(files, output);
  printProblems({ problems, texts }, output);
  for (const note of notes) output.note(output.noteColors.dim(`note: ${showLine(note)}`));
  output.line();
  output.line(summarize(result, colors));
}

function groupByReason(files: readonly ImportedFile[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { imported } of files) {
    if (imported.action.kind !== 'placeholder') continue;
    const { reason } = imported.action;
    groups.set(reason, [...(groups.get(reason) ?? []), imported.id]);
  }
  return groups;
}

function formatImports(files: readonly ImportedFile[], { colors, columns }: Output): string {
  const rows = files.map(({ imported, proof, state, remark }) => [
    colors.cyan(imported.id),
    showLine(writeTimes(imported.job.schedule)),
    describeAction(imported, colors),
    countFirings(proof),
    describeProof(proof, colors),
    remark === undefined ? state : colors.red(showLine(`${state}: ${remark}`)),
  ]);
  return formatTable(['ID', 'TIMES', 'DOES', `IN ${provenDays} DAYS`, 'PROOF', 'FILE'], rows, { colors, columns });
}

function countFirings({ firings, days }: Proof): string {
  if (firings === null) return '-';
  return days === provenDays ? String(firings) : `${firings} in ${days}`;
}

function writeTimes({ cron, every, timezone, skip }: ImportedFile['imported']['job']['schedule']): string {
  const left = skip.length === 0 ? '' : ` without ${skip.length}`;
  return cron === undefined ? `every ${every ?? ''}` : `${cron}${left} ${timezone}`;
}

function describeAction({ action }: ImportedFile['imported'], colors: Colors): string {
  if (action.kind === 'placeholder') return colors.yellow('needs an endpoint');
  if (action.kind === 'job') return colors.green('a Kubernetes Job');
  return colors.green(`${String(action.call.request['method'])} request`);
}

function describeProof({ reader, isSame, missing, extra }: Proof, colors: Colors): string {
  if (reader === null) return colors.yellow('not known');
  return isSame ? colors.green('the same') : colors.red(`${missing.length + extra.length} differ`);
}

/** Why a definition is not proven, or what is different. */
function explainProof({ imported, proof }: ImportedFile, colors: Colors): string[] {
  if (proof.isSame) return [];
  const head = `\n${colors.bold(imported.id)}: `;
  if (proof.reader === null) return [`${head}its firings cannot be compared: ${showLine(proof.why ?? '')}`];
  const cause = proof.cause === undefined ? '' : `: ${proof.cause}`;
  const list = (instants: string[], what: string): string[] => {
    if (instants.length === 0) return [];
    const more = instants.length > shownDifferences ? ` and ${instants.length - shownDifferences} more` : '';
    return [`  ${what}: ${instants.slice(0, shownDifferences).join(', ')}${more}`];
  };
  return [
    `${head}it does not always fire when the original does, by ${proof.reader}${cause}`,
    ...list(proof.missing, 'the original alone  '),
    ...list(proof.extra, 'the definition alone'),
  ];
}

/** The new lines of a crontab stand below each other, so that they can be copied at once. */
function printAdvice(files: readonly ImportedFile[], output: Output): void {
  if (files.length === 0) return;
  const { colors } = output;
  const isCrontab = files[0]?.imported.advice.language === 'crontab';
  output.line();
  if (!isCrontab && files.length > shownAdvice) {
    output.line(`How the old runners report meanwhile stands in each definition, under "Before it is enabled".`);
    return;
  }
  output.line(colors.bold('So that the old runners report meanwhile:'));
  if (isCrontab) output.line('  Put these lines in place of the old ones.');
  for (const { imported } of files) {
    const { how, text } = imported.advice;
    if (!isCrontab) output.line(`  ${showLine(how)}:`);
    for (const row of showText(text).split('\n')) output.line(isCrontab ? row : `    ${row}`);
  }
  output.line(
    colors.dim('  They need `actcore` on their PATH, or --actcore with its place, and ACTCORE_DATABASE_URL.'),
  );
  if (files.some(({ imported }) => imported.advice.text.includes('[secret]'))) {
    output.line(colors.yellow('  [secret] stands for a credential that is not printed: keep what is there now.'));
  }
}

function summarize({ files, problems }: ImportResult, colors: Colors): string {
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  const same = files.filter(({ proof }) => proof.isSame).length;
  const unknown = files.filter(({ proof }) => proof.reader === null).length;
  const written = files.filter(({ state }) => state === 'written' || state === 'replaced').length;
  const differ = files.length - same - unknown;
  const parts = [
    `${count(files.length, 'definition')}, ${written} written`,
    `${same} proven to fire at the same times for ${provenDays} days`,
    ...(differ > 0 ? [colors.red(`${differ} with differences`)] : []),
    ...(unknown > 0 ? [colors.yellow(`${unknown} not comparable`)] : []),
    ...(problems.length > 0 ? [colors.red(count(problems.length, 'problem'))] : []),
  ];
  return parts.join('; ');
}
