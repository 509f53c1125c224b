import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { compileFiles } from '../../compiler/compile-files.ts';
import type { Definition } from '../../compiler/definition.ts';
import { formatDuration, parseDuration } from '../../compiler/duration.ts';
import { simulateTicks } from '../../simulation/model.ts';
import type { OutageOf } from '../../simulation/outages.ts';
import { readOutage, readSpan } from '../../simulation/time-text.ts';
import type { Span, TimeFault } from '../../simulation/time-text.ts';
import { listTicks } from '../../ticks/ticks.ts';
import { openZone } from '../../ticks/zone.ts';
import type { Zone } from '../../ticks/zone.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { requireSet } from '../definition-files.ts';
import type { CompiledSet } from '../definition-files.ts';
import { Refusal } from '../refusal.ts';
import { describeSimulation, formatSimulation, nameTime } from '../simulation-output.ts';

interface SimulateOptions extends CommonOptions {
  from?: string;
  to?: string;
  outage: string[];
  outageOf: OutageOf;
  runtime: number;
}

const mostTicks = 100_000;
const defaultRuntimeMs = 1_000;

export function addSimulate(program: Command, signal: AbortSignal): void {
  const command = program
    .command('simulate')
    .summary('show what would become of each tick, outages included')
    .description(
      'Show what would become of each tick of a definition under its own policies, on a clock of its own. Needs no ' +
        'server. Times are in the timezone of the definition unless they end in Z or an offset.',
    )
    .argument('<file>', 'a definition file')
    .option('--from <time>', 'first tick: now, 02:50, 2026-03-29, 2026-03-29T02:50 (default: now)')
    .option('--to <time>', 'no tick from then on; also a span such as +7d (default: +24h)')
    .option('--outage <from-to>', 'away from 02:50-03:20, or with dates; can be repeated', collect, [])
    .addOption(new Option('--outage-of <who>', 'who is away').choices(['server', 'worker']).default('server'))
    .option('--runtime <span>', 'how long each run takes (default: 1s)', parseRuntime, defaultRuntimeMs);
  handle<SimulateOptions>(withJson(command), signal, async ({ output }, options, [file = '']) => {
    const now = new Date();
    const { definitions, texts } = await requireSet([file], output);
    const current = requireOne(definitions, file);
    const zone = openZone(current.order.cadence.timezone);
    const span = requireTime(readSpan(options.from, options.to, zone, now.getTime()));
    const definition = span.fromMs < now.getTime() ? compileAsOf(span.fromMs, current, texts) : current;
    const outages = options.outage.map((text) => requireTime(readOutage(text, options.outageOf, zone, span)));
    const scenario = { outages, runtimeMs: options.runtime, nameTick: (tickMs: number) => nameTime(tickMs, zone) };
    const ticks = simulateTicks(definition.order, requireTicks(definition, span, zone), scenario);
    const simulation = { definition, zone, span, outages, runtimeMs: options.runtime, ticks };
    output.data(describeSimulation(simulation));
    output.line(formatSimulation(simulation, output));
    for (const remark of remarkOn(definition)) output.note(remark);
  });
}

function collect(text: string, earlier: string[]): string[] {
  return [...earlier, text];
}

function parseRuntime(text: string): number {
  const duration = parseDuration(text, false);
  if ('ms' in duration) return duration.ms;
  throw new InvalidArgumentError('Expected a span such as 800ms, 310s or 5m10s.');
}

/** The clock changes that `dst` is worked out for begin with the year of compiling, so the past is compiled as of then. */
function compileAsOf(instantMs: number, current: Definition, texts: CompiledSet['texts']): Definition {
  const { file } = current;
  const { definitions } = compileFiles([{ file, text: texts.get(file) ?? '' }], { now: new Date(instantMs) });
  return definitions[0] ?? current;
}

function requireOne(definitions: Definition[], path: string): Definition {
  const [definition] = definitions;
  if (definition !== undefined && definitions.length === 1) return definition;
  throw new Refusal(`${path} holds ${definitions.length} definitions`, 'Name one file: they are simulated one by one.');
}

function requireTime<Value extends object>(read: Value | TimeFault): Value {
  if ('fault' in read) throw new Refusal(read.fault, read.allowed);
  return read;
}

function requireTicks({ order }: Definition, { fromMs, toMs }: Span, zone: Zone): number[] {
  const list = listTicks(order.cadence, fromMs, toMs, mostTicks);
  if ('ticksMs' in list) return list.ticksMs;
  throw new Refusal(
    `more than ${mostTicks} ticks, or ten times as many that are skipped, from ${nameTime(fromMs, zone)} to ${nameTime(toMs, zone)}`,
    `Allowed: at most ${mostTicks} ticks; a --to of ${nameTime(list.reachedMs, zone)} or before keeps within it.`,
  );
}

/** What the simulation leaves out of this definition. */
function remarkOn({ enabled, order }: Definition): string[] {
  const { jitterMs } = order.cadence;
  return [
    ...(enabled
      ? []
      : ['note: `enabled` is false, so apply would leave this schedule paused; simulated as if it were true']),
    ...(jitterMs === 0
      ? []
      : [`note: the server delays each start by up to ${formatDuration(jitterMs)} (jitter), which is left out here`]),
  ];
}
