import { AsyncLocalStorage } from 'node:async_hooks';
import { format } from 'node:util';
import { loadProgram } from '../../support/shipped.ts';

/** What one command line prints. */
interface Printed {
  stdout: string;
  stderr: string;
}

interface Surroundings {
  cwd: string;
  env: Record<string, string>;
  signal: AbortSignal;
}

/** What a worker of the test logs meanwhile is none of the command's. */
const printing = new AsyncLocalStorage<Printed>();

/** The environment and the folder are the process's, so one command line is run after the other. */
let previous: Promise<unknown> = Promise.resolve();

/** Runs a command line in this process, and so without the second of CPU that the start of another takes. */
export function runInProcess(args: string[], surroundings: Surroundings): Promise<Printed & { exitCode: number }> {
  const running = previous.then(() => runAlone(args, surroundings));
  previous = running.catch(() => {});
  return running;
}

async function runAlone(args: string[], { cwd, env, signal }: Surroundings): Promise<Printed & { exitCode: number }> {
  const { runCli } = await loadProgram();
  const [cwdBefore, envBefore, exitCodeBefore] = [process.cwd(), process.env, process.exitCode];
  const release = capture();
  process.chdir(cwd);
  process.env = { ...env };
  const printed: Printed = { stdout: '', stderr: '' };
  try {
    const exitCode = await printing.run(printed, () => runCli(args, signal));
    return { exitCode, stdout: dropNewline(printed.stdout), stderr: dropNewline(printed.stderr) };
  } finally {
    process.env = envBefore;
    process.chdir(cwdBefore);
    process.exitCode = exitCodeBefore;
    release();
  }
}

/** Keeps what the command writes to the streams and the console; the rest goes where it went. */
function capture(): () => void {
  const releases = (['stdout', 'stderr'] as const).map((name) => {
    const stream = process[name];
    const write = stream.write.bind(stream);
    // The program writes text, and at times asks to be told when it is out.
    stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
      const printed = printing.getStore();
      if (printed === undefined) return Reflect.apply(write, stream, [chunk, ...rest]) as boolean;
      printed[name] += Buffer.from(chunk).toString();
      const done = rest.find((value) => typeof value === 'function');
      if (done !== undefined) process.nextTick(done);
      return true;
    };
    return () => (stream.write = write);
  });
  const { error } = console;
  console.error = (...values: unknown[]) => {
    if (printing.getStore() === undefined) error(...values);
    else process.stderr.write(`${format(...values)}\n`);
  };
  return () => {
    for (const release of releases) release();
    console.error = error;
  };
}

/** As execa does it for a process. */
function dropNewline(text: string): string {
  return text.replace(/\r?\n$/, '');
}
