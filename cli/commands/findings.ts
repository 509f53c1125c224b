import { Option } from 'commander';
import type { Command } from 'commander';
import { findingStates, listFindings, releaseFindings } from '../../history/findings.ts';
import type { FindingEpisode } from '../../history/findings.ts';
import { listFindingActions } from '../../history/run-actions.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { formatActions, formatFinding, formatFindings } from '../findings-output.ts';
import { withHistory } from '../history-service.ts';
import { Refusal } from '../refusal.ts';
import { parseCount, parseSince } from '../since.ts';
import { signAs } from '../workspace.ts';

interface FindingsOptions extends CommonOptions {
  check?: string;
  state?: FindingEpisode['state'] | 'all';
  since?: Date;
  limit: number;
}

/** Of the episodes and the actions of one finding. */
const shownLines = 20;

export function addFindings(program: Command, signal: AbortSignal): void {
  const command = program
    .command('findings')
    .summary('list what watchdogs found')
    .description(
      'List what watchdogs found, those first that were found last: what is open or quarantined, and on demand what is resolved.',
    )
    .argument('[id]', 'id of a definition; all when left out')
    .option('--check <name>', 'only those of this check')
    .addOption(
      new Option('--state <state>', 'only those in this state (default: open and quarantined)').choices([
        ...findingStates,
        'all',
      ]),
    )
    .option('--since <span|time>', 'only those found first since then: 90m, 72h, 7d, or an ISO time', (text) =>
      parseSince(text),
    )
    .option('--limit <count>', 'how many at most', parseCount, 50)
    .enablePositionalOptions();
  handle<FindingsOptions>(withJson(command), signal, async ({ settings, output }, options, [definitionId]) => {
    const { check: checkName, state, since, limit } = options;
    const filter = {
      ...(definitionId === undefined ? {} : { definitionId }),
      ...(checkName === undefined ? {} : { checkName }),
      ...(since === undefined ? {} : { since }),
      states: readStates(state),
    };
    const findings = await withHistory(settings, (pool) => listFindings(pool, filter, limit));
    output.data({ findings });
    output.line(findings.length === 0 ? 'no findings' : formatFindings(findings, output));
  });
  addShow(command, signal);
  addRetry(command, signal);
}

function readStates(state: FindingsOptions['state']): readonly FindingEpisode['state'][] {
  if (state === undefined) return ['open', 'quarantined'];
  return state === 'all' ? findingStates : [state];
}

function addShow(findings: Command, signal: AbortSignal): void {
  const command = findings
    .command('show')
    .summary('show one finding with all that was done about it')
    .description('Show one finding: its row, its episodes, and all that was done about it.')
    .argument('<id>', 'id of the definition')
    .argument('<check>', 'name of the check')
    .argument('<key>', 'key of the finding, as the list shows it, or its only value');
  handle(withJson(command), signal, async ({ settings, output }, _, [definitionId = '', checkName = '', key = '']) => {
    const { episodes, actions } = await withHistory(settings, async (pool) => {
      const found = await listFindings(pool, { definitionId, checkName, key }, shownLines);
      const [last] = found;
      return { episodes: found, actions: last === undefined ? [] : await listFindingActions(pool, last, shownLines) };
    });
    const [last] = episodes;
    if (last === undefined) {
      throw new Refusal(
        `The history has no finding ${key} of the check ${checkName} of ${definitionId}`,
        `actcore findings ${definitionId} --state all lists those it has.`,
      );
    }
    output.data({ episodes, actions });
    output.line(formatFinding(last, output.colors));
    if (episodes.length > 1) output.line(`\n${formatFindings(episodes, output)}`);
    if (actions.length > 0) output.line(`\n${formatActions(actions, output)}`);
  });
}

interface RetryOptions extends CommonOptions {
  all?: boolean;
}

function addRetry(findings: Command, signal: AbortSignal): void {
  const command = findings
    .command('retry')
    .summary('give quarantined findings back to their remedies')
    .description('Give quarantined findings back to their remedies: the next run acts on them again. It is journaled.')
    .argument('<id>', 'id of the definition')
    .argument('[check]', 'name of the check')
    .argument('[key]', 'key of the finding, as the list shows it, or its only value')
    .option('--all', 'all of the check, or of the definition');
  handle<RetryOptions>(withJson(command), signal, async ({ settings, output }, { all }, [id = '', checkName, key]) => {
    if ((key === undefined) !== (all === true)) {
      throw new Refusal(
        'Which findings?',
        'Give the check and the key of one, or --all for all of the check or definition.',
      );
    }
    const filter = {
      definitionId: id,
      ...(checkName === undefined ? {} : { checkName }),
      ...(key === undefined ? {} : { key }),
    };
    const signature = signAs('findings retry', settings);
    const released = await withHistory(settings, (pool) => releaseFindings(pool, filter, signature));
    if (released.length === 0) {
      const meant = [id, checkName, key].filter((word) => word !== undefined).join(' ');
      throw new Refusal(
        `No finding of ${meant} is quarantined`,
        `actcore findings ${id} --state quarantined lists those that are.`,
      );
    }
    output.data({ released });
    output.line(formatFindings(released, output));
    output.line(`${released.length} released: the next run acts on ${released.length === 1 ? 'it' : 'them'} again`);
  });
}
