import type { Context } from '@temporalio/activity';
import { pause } from './pause.ts';

/** The heartbeats of a run. */
export interface Pulse {
  /** Sends the first heartbeat, and from then on one every two seconds. */
  begin(): void;
  /** Says that something has changed that the next worker must know: it is told within `changeEveryMs`. */
  touch(): void;
  /**
   * Resolves when this worker may take it that the run is still its own; undefined where nothing speaks against it. One that was frozen has been given up
   * meanwhile, and another may be at work: the server is asked first.
   *
   * @throws the signal's reason
   */
  confirm(signal: AbortSignal): Promise<void> | undefined;
  close(): void;
}

/** What a pulse needs of its run. */
export interface PulseOptions {
  /** Gives what a heartbeat carries. */
  describe(): object;
  /** Asks the server whether it expects the end of the run from this worker. */
  isOwn(): Promise<boolean>;
  /** Ends the run here: the server expects nothing of it any more. */
  abandon(): void;
  /** Whether the very beginning may be later than this worker thinks. */
  isDoubtful: boolean;
}

const everyMs = 2_000;
/** The most that the server's knowledge lags behind, beside what the SDK holds back. */
const changeEveryMs = 100;
/** A process that notices no time passing for so long was frozen; the server gives it up after twice as long. */
export const freezeMs = 7_500;
const askAgainMs = 1_000;

/** The heartbeats of an activity, not begun yet. */
export function openPulse(activity: Pick<Context, 'heartbeat'>, options: PulseOptions): Pulse {
  let [beatAt, seenAt, isDoubtful] = [0, Date.now(), options.isDoubtful];
  let pending: NodeJS.Timeout | undefined;
  let regular: NodeJS.Timeout | undefined;
  let asking: Promise<void> | undefined;
  const beat = () => {
    clearTimeout(pending);
    pending = undefined;
    beatAt = Date.now();
    activity.heartbeat(options.describe());
  };
  const notice = () => {
    const now = Date.now();
    isDoubtful ||= now - seenAt > freezeMs;
    seenAt = now;
  };
  const ask = async (signal: AbortSignal) => {
    while (isDoubtful) {
      const answer = await options.isOwn().catch(() => undefined);
      if (answer === true) isDoubtful = false;
      else if (answer === false) options.abandon();
      else await pause(askAgainMs, signal);
      signal.throwIfAborted();
    }
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
    confirm(signal) {
      notice();
      if (!isDoubtful) return undefined;
      asking ??= ask(signal).finally(() => (asking = undefined));
      return asking;
    },
    close() {
      clearInterval(regular);
      clearTimeout(pending);
    },
  };
}
