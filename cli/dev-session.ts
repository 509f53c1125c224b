import { once } from 'node:events';
import type { Definition } from '../compiler/definition.ts';
import { printProgress } from '../dev/progress.ts';
import { startStack } from '../dev/stack.ts';
import type { Stack } from '../dev/stack.ts';
import { findCanaried } from '../history/queries.ts';
import { migrate } from '../history/migrate.ts';
import { ensureSearchAttributes } from '../schedules/search-attributes.ts';
import { installRuntime } from '../worker/runtime.ts';
import { startWorker } from '../worker/worker.ts';
import { applySet } from './apply-set.ts';
import { fireByHand, followRun } from './firing.ts';
import { reportFiring } from './firing-output.ts';
import type { Session } from './command.ts';
import { startExamples } from './dev-examples.ts';
import { startTimer } from './dev-timer.ts';
import type { CompiledSet } from './definition-files.ts';
import { printChanges } from './plan-output.ts';
import { withHistory } from './history-service.ts';
import { showLine } from './printable.ts';
import { readTemporalAccess } from './temporal-access.ts';
import { withTemporal } from './temporal-service.ts';
import type { Settings } from './settings.ts';

export interface DevOptions {
  stateDir: string;
  ports: 'usual' | 'any';
  paths: string[];
  set: Pick<CompiledSet, 'definitions' | 'texts'>;
  /** The definitions whose canaries are run at the start. */
  demonstrated: Definition[];
  /** The product's own definitions, which are vouched for by canaries that are not shown, once for each contract. */
  ownWork: Definition[];
}

/** Brings everything up, shows one canary, applies the definitions, and serves until the signal; whatever was started is ended on every way out. */
export async function serveDev(session: Session, options: DevOptions): Promise<void> {
  const cleanups: (() => Promise<void>)[] = [];
  const progress = printProgress();
  try {
    const { settings, working, hasLedger, stack, targetEnvironment } = await bringUp(session, options, cleanups);
    const running = { ...session, settings };
    for (const definition of options.demonstrated) await demonstrate(running, definition, hasLedger);
    for (const definition of options.ownWork) await vouchFor(running, definition);
    // Whoever is enabled here without a canary is refused as everywhere, with the command that helps.
    const changes = await applySet(running, options.set, { paths: options.paths, admission: {} });
    printChanges(changes, running.output, 'applied');
    const timer = await startTimer(options.demonstrated, { stack, settings, targetEnvironment, ...options }, cleanups);
    if (timer !== undefined) session.output.line(`\n${timer}`);
    session.output.line(
      `\nIt goes on by its schedule. In another terminal here: npx actcore list, npx actcore runs. Ctrl-C stops everything.`,
    );
    if (!session.signal.aborted) await Promise.race([once(session.signal, 'abort'), working]);
  } catch (error) {
    if (!session.signal.aborted) throw error;
  } finally {
    progress('stopping', 'step');
    await runAll(cleanups.reverse());
  }
}

/** One part that cannot be ended does not keep the others running. */
async function runAll(cleanups: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const cleanup of cleanups) await cleanup().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

interface BroughtUp {
  stack: Stack;
  settings: Settings;
  working: Promise<void>;
  hasLedger: boolean;
  targetEnvironment: Record<string, string>;
}

/** Starts servers, target and worker. `working` ends, or fails, with the worker. */
async function bringUp(
  { settings: given, output, env, signal }: Session,
  options: DevOptions,
  cleanups: (() => Promise<void>)[],
): Promise<BroughtUp> {
  const { stateDir, ports } = options;
  const stack = await startStack({ stateDir, ports, env, signal, onProgress: printProgress() });
  cleanups.push(() => stack.stop());
  const settings = settingsOf(given, stack);
  const examples = await startExamples(stack, env, { stateDir, ports, signal }, cleanups);
  for (const line of examples.lines) output.note(line);
  await withHistory(settings, migrate);
  const httpUrl = stack.embedded.temporal?.httpUrl;
  if (httpUrl !== undefined) output.note(`Temporal's HTTP API on ${httpUrl}`);
  const worker = await runWorker(settings, {
    TEMPORAL_NAMESPACE: settings.namespace,
    ...(httpUrl === undefined ? {} : { TEMPORAL_HTTP_URL: httpUrl }),
    ...examples.targetEnvironment,
    ...env,
    // The remedies of the example ledger go to the example, whatever the terminal says.
    ...examples.ledgerEnvironment,
  });
  cleanups.push(() => worker.stop());
  output.note(`worker polls ${settings.taskQueue}\n`);
  const { targetEnvironment, ledgerEnvironment } = examples;
  return { stack, settings, working: worker.working, hasLedger: ledgerEnvironment !== undefined, targetEnvironment };
}

function settingsOf(given: Settings, stack: Stack): Settings {
  const { temporalAddress, temporalNamespace: namespace, databaseUrl, uiUrl } = stack;
  return { ...given, temporalAddress, namespace, databaseUrl, uiUrl };
}

/** Starts a worker in this process; `stop` drains it. */
async function runWorker(settings: Settings, environment: NodeJS.ProcessEnv) {
  const { temporalAddress, temporalAccess = {}, namespace, taskQueue, databaseUrl = '' } = settings;
  installRuntime('WARN');
  const readAccess = () => readTemporalAccess(temporalAccess);
  const worker = await startWorker({ temporalAddress, readAccess, namespace, taskQueue, databaseUrl, environment });
  const working = worker.run();
  // Whoever races with it hears of a failure; nobody does before the race or after it.
  working.catch(() => {});
  const stop = async () => {
    worker.shutdown();
    await working.catch(() => {});
  };
  return { working, stop };
}

/**
 * Runs the canary of a definition. A watchdog first only looks, which is what an operator would do; where it watches a
 * database of their own and not the example, that is all.
 */
async function demonstrate(session: Session, definition: Definition, hasLedger: boolean): Promise<void> {
  const { kind } = definition.order.definition;
  if (kind === 'watchdog') await runCanary(session, definition, { dryRun: true });
  if (kind === 'sweep' || hasLedger) await runCanary(session, definition, {});
}

async function runCanary(session: Session, definition: Definition, how: { dryRun?: true }): Promise<void> {
  const { settings, output } = session;
  output.line(`Canary of ${definition.id}${how.dryRun === true ? ', which only looks' : ''}:`);
  await withTemporal(settings, async (client, connection) => {
    await ensureSearchAttributes(connection, settings.namespace);
    const firing = { trigger: 'canary', actor: settings.actor, ...how } as const;
    const run = await fireByHand(client, settings, definition.order, firing, definition);
    await reportFiring(session, client, run, { follow: true });
  });
  output.line();
}

/** Runs the canaries that the gates ask for, where none has completed yet: of a watchdog first one that only looks. */
async function vouchFor(session: Session, definition: Definition): Promise<void> {
  const { settings, output } = session;
  const { id, order } = definition;
  const vouched = await withHistory(settings, (pool) => findCanaried(pool, [order.contractHash]));
  if (!definition.enabled || vouched.has(order.contractHash)) return;
  const looked = order.kind === 'watchdog' ? await followCanary(session, definition, { dryRun: true }) : undefined;
  const told = looked?.isGood === false ? looked : await followCanary(session, definition, {});
  output.line(`Canary of ${id}: ${showLine(told.text)}\n`);
}

/** Runs a canary of which only the end is told. */
async function followCanary(
  { settings, output, signal }: Session,
  definition: Definition,
  how: { dryRun?: true },
): Promise<{ isGood: boolean; text: string }> {
  const ended = await withTemporal(settings, async (client, connection) => {
    await ensureSearchAttributes(connection, settings.namespace);
    const firing = { trigger: 'canary', actor: settings.actor, ...how } as const;
    const run = await fireByHand(client, settings, definition.order, firing, definition);
    return followRun({ client, output, signal }, run);
  });
  if ('lost' in ended) return { isGood: false, text: `no report: ${ended.lost}` };
  const { outcome, reason } = ended.report;
  return { isGood: outcome === 'completed', text: `${outcome}: ${reason}` };
}
