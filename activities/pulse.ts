import type { Context } from '@temporalio/activity';
import { pause } from './pause.ts';

/** The heartbeats of a run. */
export interface Pulse {
  /** Sends the first heartbeat, and from then on one every two seconds. */
  begin(): void;
  /** Says that something has changed that the next worker must know: it is told within `changeEveryMs`. */
  touch(): void;
  /**
   * Resolves when this worker may take it that the run is still its own. One that was frozen has been given up
   * meanwhile, and another may be at work: it waits until a heartbeat has come back.
   */
  confirm(signal: AbortSignal): Promise<void>;
  close(): void;
}

const everyMs = 2_000;
/** The most that the server's knowledge lags behind, beside what the SDK holds back. */
const changeEveryMs = 100;
/** A process that notices no time passing for so long was frozen; the server gives it up after twice as long. */
const freezeMs = 7_500;
const confirmMs = 2_000;

/** The heartbeats of an activity, not begun yet. `describe` gives what they carry. */
export function openPulse(activity: Pick<Context, 'heartbeat'>, describe: () => object): Pulse {
  let [beatAt, seenAt, wokeAt] = [0, Date.now(), 0];
  let pending: NodeJS.Timeout | undefined;
  let regular: NodeJS.Timeout | undefined;
  const beat = () => {
    clearTimeout(pending);
    pending = undefined;
    beatAt = Date.now();
    activity.heartbeat(describe());
  };
  const notice = () => {
    const now = Date.now();
    if (now - seenAt > freezeMs) {
      wokeAt = now;
      beat();
    }
    seenAt = now;
  };
  return {
    begin() {
      regular = setInterval(() => {
        notice();
        beat();
      }, everyMs);
      beat();
    },
    touch() {
      if (pending !== undefined) return;
      const waitMs = beatAt + changeEveryMs - Date.now();
      if (waitMs <= 0) beat();
      else pending = setTimeout(beat, waitMs);
    },
    async confirm(signal) {
      notice();
      const waitMs = wokeAt + confirmMs - Date.now();
      if (waitMs > 0) await pause(waitMs, signal);
    },
    close() {
      clearInterval(regular);
      clearTimeout(pending);
    },
  };
}
