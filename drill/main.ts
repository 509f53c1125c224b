import { parseArgs } from 'node:util';
import { formatElapsed, printProgress } from '../dev/progress.ts';
import { describeReport, formatReport } from './report.ts';
import { findFaults } from './result.ts';
import type { Result } from './result.ts';
import { scenarios } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';
import { openStage } from './stage.ts';

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    /** What the lengths of the faults are multiplied by. */
    'minutes-scale': { type: 'string', default: '1' },
    list: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const scale = Number(values['minutes-scale']);
const unknown = wanted.filter((name) => !scenarios.some((scenario) => scenario.name === name));
const interrupted = new AbortController();

if (values.list) {
  for (const { name, title } of scenarios) console.log(`${name.padEnd(16)} ${title}`);
} else if (unknown.length > 0) {
  console.error(`no scenario ${unknown.join(', ')}; there are: ${scenarios.map(({ name }) => name).join(', ')}`);
  process.exitCode = 1;
} else if (!(scale > 0)) {
  console.error('--minutes-scale takes a number above 0, such as 0.1');
  process.exitCode = 1;
} else {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => interrupted.abort(new Error(`ended by ${name}`)));
  }
  const chosen = scenarios.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  process.exitCode = await runDrill(chosen);
}

/** Plays scenarios on one stack, and ends it on every way out; the exit code. */
async function runDrill(chosen: Scenario[]): Promise<number> {
  const { signal } = interrupted;
  const beganAt = Date.now();
  const show = printProgress();
  const onProgress = (text: string) => show(`${formatElapsed(Date.now() - beganAt).padStart(7)} ${text}`);
  const results: Result[] = [];
  try {
    const stage = await openStage(signal, onProgress);
    try {
      const play = async (scenario: Scenario) => {
        const result = await playOne(scenario);
        results.push(result);
        const faults = findFaults(result);
        onProgress(`[${scenario.name}] ${faults.length === 0 ? 'ok' : `OFF: ${faults.join('; ')}`}`);
      };
      const playOne = (scenario: Scenario) =>
        scenario.play(stage, { scale, signal, onProgress }).catch((error: unknown) => describeBroken(scenario, error));
      await Promise.all(chosen.filter(({ isAlone }) => !isAlone).map(play));
      for (const scenario of chosen.filter(({ isAlone }) => isAlone)) await play(scenario);
    } finally {
      onProgress('stopping');
      await stage.close();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (signal.aborted) return 130;
  const order = chosen.map(({ name }) => name);
  results.sort((left, right) => order.indexOf(left.scenario) - order.indexOf(right.scenario));
  if (values.json) console.log(JSON.stringify(describeReport(results), null, 2));
  else console.log(formatReport(results));
  return results.every((result) => findFaults(result).length === 0) ? 0 : 1;
}

/** A scenario that could not be played to its end fails the drill; the others go on. */
function describeBroken({ name }: Scenario, error: unknown): Result {
  if (interrupted.signal.aborted) throw error;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const memory = { beforeBytes: 0, afterBytes: 0, peakBytes: 0 };
  return { scenario: name, accounts: [], memory, notes: [], faults: [`it broke off: ${text}`], tookMs: 0 };
}
