import { parseArgs } from 'node:util';
import { measureApply } from './apply.ts';
import { measureCompile } from './compile.ts';
import { measureFanOut } from './fan-out.ts';
import { measureHistory } from './history.ts';
import { measurePlan } from './plan.ts';
import { measureTick } from './tick.ts';
import { measureWatchdog } from './watchdog.ts';

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    /** How many runs the history has. */
    runs: { type: 'string', default: '10000000' },
    /** Prints how the database answers. */
    explain: { type: 'boolean', default: false },
  },
});

/** Every benchmark by its name, on the code as it is shipped: built. Each compares two ways in one run and prints the ratio, for machines are noisy. */
const benchmarks: Record<string, () => Promise<void>> = {
  compile: measureCompile,
  plan: measurePlan,
  apply: measureApply,
  tick: measureTick,
  'fan-out': measureFanOut,
  watchdog: measureWatchdog,
  history: () => measureHistory({ runs: Number(values.runs), explain: values.explain }),
};

const unknown = wanted.filter((name) => benchmarks[name] === undefined);
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are: ${Object.keys(benchmarks).join(', ')}`);
  process.exit(1);
}
for (const [name, measure] of Object.entries(benchmarks)) {
  if (wanted.length === 0 || wanted.includes(name)) await measure();
}
