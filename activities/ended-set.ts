import type { TargetResult } from '../history/results.ts';

type End = Exclude<TargetResult['outcome'], 'not_reached'>;

/** Which targets have ended and how, in two bits each: 10,000 targets go into 3.3 KB of a heartbeat. */
export interface EndedSet {
  readonly counts: { completed: number; failed: number; lockSkipped: number };
  has(ordinal: number): boolean;
  /** How a target ended; a failure's kind is not kept. */
  get(ordinal: number): 'completed' | 'automation_error' | 'lock_skipped' | undefined;
  /** Counts a target once, the first time. */
  set(ordinal: number, outcome: TargetResult['outcome']): void;
  /** As base64, without the targets at the end that are open. */
  encode(): string;
  /** Takes over what another set said. */
  decode(text: string): void;
}

const codes: Record<End, number> = { completed: 1, automation_error: 2, timed_out: 2, lock_skipped: 3 };
const kinds = [undefined, 'completed', 'automation_error', 'lock_skipped'] as const;
const names = [undefined, 'completed', 'failed', 'lockSkipped'] as const;

/** A set of `size` targets, all open. */
export function openEndedSet(size: number): EndedSet {
  const bytes = new Uint8Array(Math.ceil(size / 4));
  const counts = { completed: 0, failed: 0, lockSkipped: 0 };
  const read = (ordinal: number) => ((bytes[ordinal >> 2] ?? 0) >> ((ordinal & 3) * 2)) & 3;
  const write = (ordinal: number, code: number) => {
    const name = names[code];
    if (name === undefined || ordinal >= size || read(ordinal) !== 0) return;
    bytes[ordinal >> 2] = (bytes[ordinal >> 2] ?? 0) | (code << ((ordinal & 3) * 2));
    counts[name] += 1;
  };
  return {
    counts,
    has: (ordinal) => read(ordinal) !== 0,
    get: (ordinal) => kinds[read(ordinal)],
    set(ordinal, outcome) {
      if (outcome !== 'not_reached') write(ordinal, codes[outcome]);
    },
    encode() {
      const length = bytes.findLastIndex((byte) => byte !== 0) + 1;
      return Buffer.from(bytes.subarray(0, length)).toString('base64');
    },
    decode(text) {
      const given = Buffer.from(text, 'base64');
      for (let ordinal = 0; ordinal < given.length * 4; ordinal += 1) {
        write(ordinal, ((given[ordinal >> 2] ?? 0) >> ((ordinal & 3) * 2)) & 3);
      }
    },
  };
}
