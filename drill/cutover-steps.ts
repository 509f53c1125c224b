import type { describeCheck } from '../cli/cutover-check.ts';
import type { HealthProblem } from '../history/health.ts';
import { listRows } from './rows.ts';
import type { Scene } from './scene.ts';
import { startTimer } from './timer-process.ts';
import type { TimerJob } from './timer-process.ts';
import { runActcore } from './worker-process.ts';

/** What `actcore cutover check --json` prints. */
type ToldCheck = ReturnType<typeof describeCheck>;

/** A command with `--json` to its end: its exit code, and what it printed; undefined where it was refused. */
export async function askActcore(
  { around }: Scene,
  args: string[],
): Promise<{ exitCode: number | null; told: unknown; stderr: string }> {
  const { exitCode, stdout, stderr } = await runActcore(around, [...args, '--json']);
  return { exitCode, told: stdout === '' ? undefined : (JSON.parse(stdout) as unknown), stderr };
}

/** What a check said, and when. */
export interface Verdict {
  atMs: number;
  isGo: boolean;
  unmet: string[];
}

const checkEveryMs = 5_000;

/** Checks until it says what is waited for, the account put right before each time; undefined where it does not in time. */
export async function awaitVerdict(
  scene: Scene,
  { id, source }: TimerJob,
  isAwaited: (verdict: Verdict) => boolean,
  patienceMs: number,
): Promise<Verdict | undefined> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    await runActcore(scene.around, ['audit', id, '--fix']);
    const { exitCode, told } = await askActcore(scene, ['cutover', 'check', id, '--from', source]);
    const check = told as ToldCheck | undefined;
    const criteria = check?.criteria ?? [];
    const unmet = criteria.filter(({ isMet }) => !isMet).map(({ name }) => name);
    const isGo = check?.isGo === true && exitCode === 0;
    const verdict = { atMs: Date.now(), isGo, unmet };
    if (criteria.length > 0 && isAwaited(verdict)) return verdict;
    if (Date.now() > deadline) return undefined;
    await scene.wait(checkEveryMs);
  }
}

/** That a no-go retires nothing; what is off. */
export async function tryEarlyConfirm(scene: Scene, { id, source }: TimerJob): Promise<string[]> {
  const early = await runActcore(scene.around, ['cutover', 'confirm', id, '--from', source]);
  return early.exitCode === 1 ? [] : [`confirm ended with ${early.exitCode} on a no-go`];
}

/** Late enough in an interval that nobody is at work any more, and early enough for one command before the next tick. */
const quietPartMs = 8_000;
const reportPatienceMs = 90_000;

/** Retires the timer, which fires once more and is stopped; what is off. */
export async function retireTimer(scene: Scene, job: TimerJob, stopTimer: () => Promise<void>): Promise<string[]> {
  const { around, say } = scene;
  const { id, source, everyMs } = job;
  const early = await findRetired(scene, job, '60m');
  await awaitQuiet(scene, everyMs);
  // Else the timer would only find the lock held by ours, which is no work that somebody could mind.
  await runOrThrow(scene, ['pause', id, '--note', 'the retired timer is to do the work']);
  const confirmed = await runActcore(around, ['cutover', 'confirm', id, '--from', source, '--reason', 'a drill']);
  say(`${source} is retired, waiting until it fires once more`);
  const after = await awaitReport(scene, job, Date.now());
  await awaitQuiet(scene, everyMs);
  await stopTimer();
  await runOrThrow(scene, ['resume', id]);
  const problem = await findRetired(scene, job, '60m');
  const isRefused = after?.outcome === 'automation_error' && after.flags.includes('retired_source');
  return [
    ...(early === undefined ? [] : ['health tells of a retired source before there is one']),
    ...(confirmed.exitCode === 0 ? [] : [`confirm ended with ${confirmed.exitCode}: ${confirmed.stderr}`]),
    ...(isRefused ? [] : [`what the retired timer reported is ${JSON.stringify(after)}`]),
    ...(problem?.message.includes(source) === true ? [] : [`health says of the source: ${problem?.message}`]),
  ];
}

/** Takes the retirement back and starts the timer again; what is off. */
export async function takeBack(scene: Scene, job: TimerJob): Promise<string[]> {
  const { id, source, everyMs } = job;
  await runOrThrow(scene, ['cutover', 'revert', id, '--from', source]);
  const revertedMs = Date.now();
  const stopTimer = startTimer(scene, job);
  try {
    scene.say(`${source} may fire again, waiting for it`);
    const back = await awaitReport(scene, job, revertedMs);
    await awaitQuiet(scene, everyMs);
    const isBack = back?.outcome === 'completed' || back?.outcome === 'lock_skipped';
    const problem = await findRetired(scene, job, '15s');
    return [
      ...(isBack && !back.flags.includes('retired_source')
        ? []
        : [`after the revert it reported ${JSON.stringify(back)}`]),
      ...(problem === undefined ? [] : [`health still says after the revert: ${problem.message}`]),
    ];
  } finally {
    await stopTimer();
  }
}

async function runOrThrow({ around }: Scene, args: string[]): Promise<void> {
  const { exitCode, stderr } = await runActcore(around, args);
  if (exitCode !== 0) throw new Error(`${args.join(' ')} ended with ${exitCode}: ${stderr}`);
}

/** The health problem of the retired source, in words of a period; health has to fail where there is one. */
async function findRetired(scene: Scene, { id }: TimerJob, period: string): Promise<HealthProblem | undefined> {
  const { exitCode, told } = await askActcore(scene, ['health', '--period', period]);
  const { problems } = told as { problems: HealthProblem[] };
  const problem = problems.find(({ rule, subject }) => rule === 'retired_source' && subject.includes(id));
  if (problem !== undefined && exitCode !== 1) throw new Error(`health ended with ${exitCode}, and has a problem`);
  return problem;
}

/** The row of the first tick since then, when it has ended. */
async function awaitReport({ stage, wait }: Scene, { id, source }: TimerJob, sinceMs: number) {
  const deadline = Date.now() + reportPatienceMs;
  while (Date.now() < deadline) {
    const [first] = await listRows(stage.history, id, { fromMs: sinceMs, toMs: Date.now() }, source);
    if (first !== undefined && first.outcome !== null) return first;
    await wait(500);
  }
  return undefined;
}

/** Waits until the runs of the last tick have ended, and the next one is some time away. */
export async function awaitQuiet({ wait }: Scene, everyMs: number): Promise<void> {
  const intoMs = Date.now() % everyMs;
  if (intoMs > everyMs - quietPartMs) await wait(everyMs - intoMs + quietPartMs);
  else if (intoMs < quietPartMs) await wait(quietPartMs - intoMs);
}
