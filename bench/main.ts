import { measureApply } from './apply.ts';
import { measureCompile } from './compile.ts';
import { measureFanOut } from './fan-out.ts';
import { measurePlan } from './plan.ts';
import { measureTick } from './tick.ts';

/** Every benchmark by its name, on the code as it is shipped: built. Each compares two ways in one run and prints the ratio, for machines are noisy. */
const benchmarks: Record<string, () => Promise<void>> = {
  compile: measureCompile,
  plan: measurePlan,
  apply: measureApply,
  tick: measureTick,
  'fan-out': measureFanOut,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => benchmarks[name] === undefined);
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are: ${Object.keys(benchmarks).join(', ')}`);
  process.exit(1);
}
for (const [name, measure] of Object.entries(benchmarks)) {
  if (wanted.length === 0 || wanted.includes(name)) await measure();
}
