import type { FindingEpisode } from '../history/findings.ts';
import type { KeptAction } from '../history/run-actions.ts';
import type { ActionOutcome } from '../workflows/contract.ts';
import { indentJson } from './json-lines.ts';
import type { Colors, Output } from './output.ts';
import { showLine, showText } from './printable.ts';
import { formatFields, formatTable } from './table.ts';

type Screen = Pick<Output, 'colors' | 'columns'>;

function paintState({ state, resolution }: FindingEpisode, colors: Colors): string {
  switch (state) {
    case 'open':
      return colors.yellow(state);
    case 'quarantined':
      return colors.red(state);
    case 'resolved':
      return resolution === 'unwatched' ? colors.dim(resolution) : colors.green(resolution ?? state);
  }
}

/** What became of a finding, in its colour: green is done with, yellow is not, red went wrong. */
function paintAction(outcome: ActionOutcome, colors: Colors): string {
  switch (outcome) {
    case 'cured':
    case 'sent':
      return colors.green(outcome);
    case 'simulated':
    case 'proposed':
      return colors.yellow(outcome);
    case 'not_cured':
    case 'failed':
      return colors.red(outcome);
  }
}

function showTime(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

/** A list of episodes of findings, the newest first. */
export function formatFindings(episodes: FindingEpisode[], { colors, columns }: Screen): string {
  const rows = episodes.map((episode) => [
    showLine(episode.definitionId),
    showLine(episode.checkName),
    showLine(episode.key),
    paintState(episode, colors),
    showTime(episode.openedAt),
    showTime(episode.lastSeenAt),
    String(episode.seenRuns),
    describeLast(episode, colors),
  ]);
  const head = ['DEFINITION', 'CHECK', 'KEY', 'STATE', 'OPENED (UTC)', 'LAST SEEN (UTC)', 'RUNS', 'LAST'];
  return formatTable(head, rows, { colors, columns });
}

function describeLast({ lastOutcome, lastError, failedRuns }: FindingEpisode, colors: Colors): string {
  if (lastOutcome === null) return '';
  const failed = failedRuns > 0 ? ` (${failedRuns} run${failedRuns === 1 ? '' : 's'} failed)` : '';
  return `${paintAction(lastOutcome, colors)}${failed}${lastError === null ? '' : `: ${showLine(lastError)}`}`;
}

/** Everything about the last episode of one finding. */
export function formatFinding(episode: FindingEpisode, colors: Colors): string {
  const { definitionId, checkName, key, openedAt, openedRun, lastSeenAt, lastSeenRun, seenRuns } = episode;
  return formatFields(
    [
      ['definition', showLine(definitionId)],
      ['check', `${showLine(checkName)} (${episode.mode})`],
      ['key', showLine(key)],
      ['state', paintState(episode, colors)],
      ['opened', `${openedAt} by run ${openedRun}`],
      ['last seen', `${lastSeenAt} by run ${lastSeenRun}, in ${seenRuns} run${seenRuns === 1 ? '' : 's'}`],
      ['quarantined', episode.quarantinedAt ?? ''],
      ['resolved', episode.resolvedAt === null ? '' : describeEnd(episode, episode.resolvedAt)],
      ['last', describeLast(episode, colors)],
      ['row', showLine(episode.detected)],
    ],
    colors,
  );
}

const ends: Record<NonNullable<FindingEpisode['resolution']>, string> = {
  cured: 'a remedy did it',
  vanished: 'it was gone, and no remedy did it',
  unwatched: 'nobody looks for it: its check is in block or gone, or the definition is retired',
};

function describeEnd({ resolution }: FindingEpisode, at: string): string {
  return resolution === null ? at : `${at}: ${ends[resolution]}`;
}

/** Triplets as a list, one a line. */
export function formatActions(actions: KeptAction[], { colors, columns }: Screen): string {
  const rows = actions.map(({ at, checkName, findingKey, action, outcome, fate, error, runId }) => [
    showTime(at),
    showLine(checkName),
    showLine(findingKey),
    showLine(action),
    `${paintAction(outcome, colors)}${fate === 'pending' ? colors.yellow(' (not settled)') : ''}`,
    runId.slice(0, 8),
    showLine(error ?? ''),
  ]);
  return formatTable(['AT (UTC)', 'CHECK', 'KEY', 'ACTION', 'OUTCOME', 'RUN', 'ERROR'], rows, { colors, columns });
}

/** Triplets whole: what was, what was done, what is, and why. */
export function formatTriplets(actions: KeptAction[], colors: Colors): string {
  return actions
    .map(({ checkName, findingKey, action, mode, outcome, fate, before, after, decision, error }) => {
      const what = `${colors.bold(`${showLine(checkName)} ${showLine(findingKey)}`)} ${showLine(action)}`;
      const settled = fate === 'pending' ? colors.yellow(' not settled') : '';
      return [
        `${what} (${mode}): ${paintAction(outcome, colors)}${settled}${error === null ? '' : `: ${showLine(error)}`}`,
        ...[formatJson('before', before, colors), formatJson('after', after, colors)],
        formatJson('decision', decision, colors),
      ].join('\n');
    })
    .join('\n\n');
}

function formatJson(name: string, json: string | null, colors: Colors): string {
  const text = json === null ? 'nothing' : showText(indentJson(json)).replaceAll('\n', '\n  ');
  return `  ${colors.dim(name)} ${text}`;
}
