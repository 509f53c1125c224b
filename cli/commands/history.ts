import type { Command } from 'commander';
import { walkChain } from '../../history/chain.ts';
import type { KnownDefinition, Revision } from '../../history/chain.ts';
import { handle, withJson } from '../command.ts';
import { withHistory } from '../history-service.ts';
import { requireKnown } from '../known-definition.ts';
import { diffLines } from '../line-diff.ts';
import type { Output } from '../output.ts';
import { showLine, showText } from '../printable.ts';

/** A revision with what changed against the one that it superseded. */
interface ShownRevision extends Revision {
  /** Lines of a unified diff; none for a first revision, which is all new. */
  diff: string[];
}

export function addHistory(program: Command, signal: AbortSignal): void {
  const command = program
    .command('history')
    .summary('show every revision of a definition, with what changed')
    .description(
      'Show every revision of a definition that was applied, from the first to the last, with what changed in its file.',
    )
    .argument('<id>', 'id of the definition');
  handle(withJson(command), signal, async ({ settings, output }, _, [id = '']) => {
    const { definition, revisions } = await withHistory(settings, (pool) => requireKnown(pool, id));
    const { chain, aside, fault } = walkChain(revisions, definition.revision);
    const texts = new Map(revisions.map(({ revision, text }) => [revision, text]));
    const addDiff = (revision: Revision, index: number, all: Revision[]): ShownRevision => {
      const isAside = all === aside;
      const before = isAside ? texts.get(revision.parent ?? '') : all[index - 1]?.text;
      return { ...revision, diff: before === undefined ? [] : diffLines(before, revision.text) };
    };
    const shown = { chain: chain.map(addDiff), aside: aside.map(addDiff) };
    output.data({ definition, ...shown, fault: fault ?? null });
    output.line(formatDefinition(definition, output));
    if (fault !== undefined) output.note(`the chain is broken before its first revision: ${fault}`);
    for (const revision of shown.chain) output.line(`\n${formatRevision(revision, output)}`);
    if (shown.aside.length > 0) output.line('\nBeside this line, left by going back behind them or never applied:');
    for (const revision of shown.aside) output.line(`\n${formatRevision(revision, output)}`);
  });
}

function formatDefinition(
  { id, uuid, retiredAt, retiredBy, retiredReason }: KnownDefinition,
  { colors }: Output,
): string {
  const name = `${colors.bold(showLine(id))} (${uuid})`;
  if (retiredAt === null) return name;
  return `${name}\n${colors.yellow(`retired ${retiredAt} by ${showLine(retiredBy ?? '')}: ${showLine(retiredReason ?? '')}`)}`;
}

function formatRevision(revision: ShownRevision, { colors }: Output): string {
  const { appliedCount, firstAppliedAt, lastAppliedAt, actor, contractHash, file, text, diff } = revision;
  const times = appliedCount === 1 ? 'once' : `${appliedCount} times`;
  const until = firstAppliedAt === lastAppliedAt ? '' : `, last ${lastAppliedAt}`;
  const applied = appliedCount === 0 ? 'never applied' : `applied ${times}, first ${firstAppliedAt}${until}`;
  const head = `revision ${revision.revision.slice(0, 12)}  contract ${contractHash.slice(0, 12)}`;
  const lines = diff.length > 0 ? diff : [`${showLine(file)}, ${text.match(/\n|[^\n]$/g)?.length ?? 0} lines`];
  const paint = (line: string) => {
    if (line.startsWith('+')) return colors.green(line);
    if (line.startsWith('-')) return colors.red(line);
    return line.startsWith('@@') ? colors.cyan(line) : line;
  };
  return [
    colors.yellow(head),
    `${applied}, by ${showLine(actor)}`,
    ...lines.map((line) => `  ${paint(showText(line))}`),
  ].join('\n');
}
