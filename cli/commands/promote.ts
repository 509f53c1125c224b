import type { Command } from 'commander';
import { readEvidence } from '../../history/evidence.ts';
import type { Evidence } from '../../history/evidence.ts';
import type { Order, WatchdogCheck, WatchdogOrder } from '../../workflows/contract.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { withHistory } from '../history-service.ts';
import { requireLatest } from '../latest-definition.ts';
import type { Colors } from '../output.ts';
import { showLine } from '../printable.ts';
import { judgePromotion } from '../promotion.ts';
import type { Promotion } from '../promotion.ts';
import { Refusal, exitCodes } from '../refusal.ts';
import { defaultDefinitions } from '../settings.ts';
import { parseSince } from '../since.ts';
import { formatFields } from '../table.ts';

interface PromoteOptions extends CommonOptions {
  since?: Date;
  definitions: string;
}

export function addPromote(program: Command, signal: AbortSignal): void {
  const command = program
    .command('promote')
    .summary('say whether a check of a watchdog is ready to act')
    .description(
      'Say what a check of a watchdog would have done, had it been in auto, by its dry and simulated runs so far, as the ' +
        'check is now. Changes nothing: exits 0 where that is enough to let it act, and says what to write into the file; else 1.',
    )
    .argument('<id>', 'id of the definition')
    .argument('<check>', 'name of the check')
    .option('--since <span|time>', 'only runs since then: 90m, 72h, 7d, or an ISO time (default: 7d)', (text) =>
      parseSince(text),
    )
    .option(
      '--definitions <folder>',
      'where its file is; without one the revision that was applied last',
      defaultDefinitions,
    );
  handle<PromoteOptions>(withJson(command), signal, async ({ settings, output }, options, [id = '', name = '']) => {
    const { definitions: folder, since = parseSince('7d') } = options;
    const { file, order, check, evidence } = await withHistory(settings, async (pool) => {
      const definition = await requireLatest(pool, id, folder);
      const found = requireCheck(definition.order, id, name);
      const contract = { definitionUuid: definition.uuid, checkName: name, contractHash: found.check.contractHash };
      return { file: definition.file, ...found, evidence: await readEvidence(pool, contract, since) };
    });
    const promotion = judgePromotion(check, order.watchdog, evidence);
    const { mode, contractHash } = check;
    const { maxActions } = order.watchdog;
    const shown = { definition: id, check: name, mode, contractHash, since: since.toISOString(), maxActions };
    output.data({ ...shown, ...evidence, ...promotion });
    output.line(formatEvidence(shown, evidence, output.colors));
    output.line(`\n${formatVerdict(promotion, { file, check, id }, output.colors)}`);
    return promotion.isEnough ? exitCodes.ok : exitCodes.failed;
  });
}

function requireCheck(order: Order, id: string, name: string): { order: WatchdogOrder; check: WatchdogCheck } {
  if (order.kind !== 'watchdog') throw new Refusal(`${id} is a sweep, and has no checks`);
  const { checks } = order.watchdog;
  const check = checks.find((one) => one.name === name);
  if (check !== undefined) return { order, check };
  throw new Refusal(`${id} has no check ${name}`, `There are: ${checks.map((one) => one.name).join(', ')}`);
}

interface Shown {
  definition: string;
  check: string;
  mode: string;
  contractHash: string;
  since: string;
  maxActions: number;
}

function formatEvidence(shown: Shown, evidence: Evidence, colors: Colors): string {
  const { runs, brokenRuns, runsWithFindings, mostFindings, firstRunAt, lastRunAt, lastError } = evidence;
  const { findings, keys, cameBack, vanished, simulated, notCured, failed } = evidence;
  const broken =
    brokenRuns === 0 ? '' : `, ${brokenRuns} broke${lastError === null ? '' : `, the last: ${showLine(lastError)}`}`;
  const span = firstRunAt === null ? '' : ` from ${firstRunAt} to ${lastRunAt ?? ''}`;
  return formatFields(
    [
      ['check', `${shown.definition} ${shown.check} (${shown.mode}), contract ${shown.contractHash.slice(0, 12)}`],
      ['since', shown.since],
      ['runs', `${runs} dry or simulated${span}${broken}`],
      [
        'findings',
        `${findings} of ${keys} keys, in ${runsWithFindings} of the runs: auto would have acted on each once`,
      ],
      ['most', `${mostFindings} in one run, of max_actions ${shown.maxActions}`],
      ['came back', `${cameBack} keys`],
      ['vanished', `${vanished} findings, without a remedy`],
      ['simulated', `${simulated} cured, ${notCured} not cured, ${failed} failed`],
    ],
    colors,
  );
}

function formatVerdict(
  { isEnough, objections, cautions }: Promotion,
  { file, check, id }: { file: string; check: WatchdogCheck; id: string },
  colors: Colors,
): string {
  const remarks = [
    ...objections.map((text) => colors.red(`- ${showLine(text)}`)),
    ...cautions.map((text) => `- ${text}`),
  ];
  return [sayVerdict(isEnough, file, check, id, colors), ...remarks].join('\n');
}

function sayVerdict(
  isEnough: boolean,
  file: string,
  { name, mode }: WatchdogCheck,
  id: string,
  colors: Colors,
): string {
  if (mode === 'auto') {
    const told = isEnough ? colors.green('enough for it') : colors.red('not enough for it');
    return `it is in auto already, and this is ${told}`;
  }
  if (!isEnough) return `${colors.red('not enough to promote')}, and there is nothing to edit in the file yet`;
  const edit = `in ${showLine(file)} set \`mode: auto\` for ${name}`;
  return `${colors.green('enough to promote')}: ${edit}, then: actcore canary ${id}, actcore apply`;
}
