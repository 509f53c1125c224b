import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const program = 'systemd-analyze';

/** What systemd itself says of its calendar events, or why it could not be asked. */
export type CalendarAnswer = { instants: number[] } | { missing: string };

const elapse = /^\s*(?:\(in UTC\)|Next elapse|Iter\. #\d+): \w{3} (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? UTC$/;

/** Known once and for all: a file for each zone. */
const knownZones = new Map<string, boolean>();

/**
 * Asks `systemd-analyze calendar` for the firings of events from one instant on and before another, in epoch
 * milliseconds; `expected` is about how many there are. Without a zone of their own they are read in `timezone`.
 */
export async function listCalendarTimes(
  { events, timezone }: { events: readonly string[]; timezone: string },
  fromMs: number,
  toMs: number,
  expected: number,
): Promise<CalendarAnswer> {
  if (!(await knowsZone(timezone))) {
    return { missing: `${program} is not installed, or does not know ${timezone}` };
  }
  const instants = new Set<number>();
  for (const event of events) {
    // One event may have all of them, and one more shows that there are no others.
    let iterations = expected + 100;
    for (let isWhole = false; !isWhole; iterations *= 4) {
      const base = new Date(fromMs - 1_000).toISOString().slice(0, 19).replace('T', ' ');
      const args = ['calendar', `--iterations=${iterations}`, `--base-time=${base} UTC`, event];
      const { exitCode, found, error } = await ask(args, timezone);
      if (exitCode !== 0) return { missing: `${program} refuses \`${event}\`: ${error}` };
      isWhole = found.length < iterations || (found.at(-1) ?? Infinity) >= toMs;
      for (const instant of found) if (instant >= fromMs && instant < toMs) instants.add(instant);
    }
  }
  return { instants: [...instants].sort((left, right) => left - right) };
}

/** A zone that is not there would silently be UTC in `TZ`; within an event it is refused. */
async function knowsZone(timezone: string): Promise<boolean> {
  const known = knownZones.get(timezone);
  if (known !== undefined) return known;
  const { exitCode } = await ask(['calendar', `daily ${timezone}`], 'UTC');
  knownZones.set(timezone, exitCode === 0);
  return exitCode === 0;
}

async function ask(args: string[], timezone: string): Promise<{ exitCode: number; found: number[]; error: string }> {
  const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', SYSTEMD_COLORS: '0', TZ: timezone };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number>((resolve) => {
    child.on('error', () => resolve(-1));
    child.on('close', (code) => resolve(code ?? -1));
  });
  let error = '';
  child.stderr.on('data', (text: Buffer) => {
    error = `${error}${text.toString()}`.slice(0, 300);
  });
  const found: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const match = elapse.exec(line);
    if (match) found.push(Date.parse(`${match[1] ?? ''}T${match[2] ?? ''}Z`));
  }
  return { exitCode: await ended, found, error: error.trim() };
}
