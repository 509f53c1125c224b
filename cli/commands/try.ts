import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { Exchange } from '../../activities/exchange-watch.ts';
import { explainExchanges } from '../../activities/judged.ts';
import { UnknownTargetError, nameTrial, trySweep } from '../../activities/trial.ts';
import type { Trial } from '../../activities/trial.ts';
import type { Definition } from '../../compiler/definition.ts';
import { placeRemarks } from '../../compiler/place-remarks.ts';
import { suggestName } from '../../expressions/closest-name.ts';
import { runIdOf } from '../../history/run-id.ts';
import type { SweepOrder } from '../../workflows/contract.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions, Session } from '../command.ts';
import { printProblems, requireSet } from '../definition-files.ts';
import type { CompiledSet } from '../definition-files.ts';
import { Refusal, exitCodes } from '../refusal.ts';
import { describeTrial, locateFaults, printEnd, printExchange, printHead } from '../trial-output.ts';

interface TryOptions extends CommonOptions {
  target?: string;
}

export function addTry(program: Command, signal: AbortSignal): void {
  const command = program
    .command('try')
    .summary('send the request of a definition once, and show how each rule judges it')
    .description(
      'Send the request of a definition once, from this terminal and with its environment, and show the request, the answer ' +
        'and how each rule judges it. The request is really sent. Needs no server, and nothing is recorded. Exits with the ' +
        'exit code that a run would have.',
    )
    .argument('<file>', 'a definition file')
    .option('--target <name>', 'of a sweep over many targets, the one to try (default: the first)');
  const options = { drains: true };
  handle<TryOptions>(
    withJson(command),
    signal,
    (session, given, [file = '']) => tryFile(session, file, given),
    options,
  );
}

async function tryFile(session: Session, file: string, { target }: TryOptions) {
  const { output, env, settings, signal } = session;
  const set = await requireSet([file], output);
  const definition = requireOne(set, file);
  const order = requireSweep(definition, target);
  requireVariables(definition, set, session);
  const firing = nameTrial(settings.actor, new Date(), randomUUID());
  const runId = runIdOf(order.definition.uuid, firing);
  printHead(order, runId, output);
  const exchanges: Exchange[] = [];
  const onExchange = (exchange: Exchange) => {
    exchanges.push(exchange);
    printExchange(exchange, order.sweep, output);
  };
  const trial = await conduct({ order, firing, environment: env, signal, targetName: target, onExchange });
  const judged = explainExchanges(order.sweep, exchanges);
  const faults = locateFaults(definition.file, set.texts.get(definition.file) ?? '', judged);
  output.data(describeTrial({ definition, trial, exchanges, judged, faults }));
  printEnd({ trial, exchanges, judged }, output);
  if (!output.json && faults.length > 0) printProblems({ problems: faults, texts: set.texts }, output);
  if (signal.aborted) return exitCodes.interrupted;
  return trial.report.exitCode === 0 ? exitCodes.ok : exitCodes.failed;
}

function requireOne({ definitions }: CompiledSet, path: string): Definition {
  const [definition] = definitions;
  if (definition !== undefined && definitions.length === 1) return definition;
  throw new Refusal(`${path} holds ${definitions.length} definitions`, 'Name one file: they are tried one by one.');
}

function requireSweep({ id, order }: Definition, target: string | undefined): SweepOrder {
  if (order.kind === 'watchdog') {
    const advice = 'Its SQL is checked by actcore lint, and runs only on a worker, in the modes that it states.';
    throw new Refusal(`${id} is a watchdog: it has no request that could be tried`, advice);
  }
  if (target !== undefined && order.sweep.each === undefined) {
    throw new Refusal(`${id} has no targets to choose from`, 'Leave --target out: `each` is not in the definition.');
  }
  return order;
}

/** All that are missing at once, each where the file names it; nothing is sent without them. */
function requireVariables({ file, order }: Definition, set: CompiledSet, { env, output }: Session): void {
  const remarks = (['env', 'secrets'] as const).flatMap((key) =>
    order[key].flatMap((name, index) => {
      if (env[name] !== undefined && env[name] !== '') return [];
      const hint = `set it as it is set for the workers: export ${name}=...`;
      return [{ path: [key, index], message: `this terminal has no ${name}`, hint }];
    }),
  );
  if (remarks.length === 0) return;
  const problems = placeRemarks(file, set.texts.get(file) ?? '', remarks);
  output.data({ problems });
  if (!output.json) printProblems({ problems, texts: set.texts }, output);
  throw new Refusal(`${remarks.length} variable${remarks.length === 1 ? ' is' : 's are'} not set`, 'Nothing was sent.');
}

async function conduct(options: Parameters<typeof trySweep>[0]): Promise<Trial> {
  try {
    return await trySweep(options);
  } catch (error) {
    if (!(error instanceof UnknownTargetError)) throw error;
    const known = `there are ${error.names.length}, such as ${error.names.slice(0, 5).join(', ')}`;
    throw new Refusal(error.message, suggestName(options.targetName ?? '', error.names, known));
  }
}
