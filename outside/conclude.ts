import { readAnswer } from '../activities/answer.ts';
import { judgeAnswer } from '../activities/judgement.ts';
import { cutText, longestReason } from '../activities/report-size.ts';
import type { OutsideEnd } from '../history/outside-runs.ts';
import type { AssessmentFailure, Outcome } from '../workflows/contract.ts';
import type { KnownActivity } from './activity.ts';
import type { CommandEnd, Entry, EntryEnd } from './entry.ts';
import { longestAnswerBytes } from './output.ts';
import { outsideReasons as reasons } from './reasons.ts';

/** What an end means, before its times are set right. */
interface Conclusion {
  outcome: Outcome;
  reason: string;
  isAssessed?: boolean;
  failures?: AssessmentFailure[];
  certainty?: 'inferred';
  output?: object;
}

/** Says what an execution came to, in the words of a row. `aheadMs` is taken off its times. */
export function concludeEntry(
  { startedAt }: Entry,
  end: EntryEnd,
  activity: Pick<KnownActivity, 'judging' | 'minDurationMs'>,
  { aheadMs, dropped }: { aheadMs: number; dropped: number },
): OutsideEnd {
  const conclusion = concludeEnd(end, activity);
  const { outcome, isAssessed = false, failures = [], certainty = 'witnessed', output } = conclusion;
  const tookMs = Date.parse(end.finishedAt) - Date.parse(startedAt);
  const leastMs = activity.minDurationMs ?? 0;
  const isTooShort = outcome === 'completed' && tookMs < leastMs;
  const remarks = [
    isTooShort ? reasons.tooShort(tookMs, leastMs) : '',
    aheadMs === 0 ? '' : reasons.clock(aheadMs),
    dropped === 0 ? '' : reasons.dropped(dropped),
  ].join('');
  return {
    finishedAt: new Date(Date.parse(end.finishedAt) - aheadMs).toISOString(),
    ...{ outcome, certainty, isAssessed, failures },
    reason: `${cutText(conclusion.reason, longestReason - remarks.length)}${remarks}`,
    ...(isTooShort ? { isTooShort: true as const } : {}),
    ...(output === undefined ? {} : { output: JSON.stringify(output) }),
  };
}

/** Of an execution whose exec is gone without a word. Nobody knows when it ended. */
export function concludeVanished({ exec, startedAt }: Entry, aheadMs: number): OutsideEnd {
  return {
    finishedAt: new Date(Date.parse(startedAt) - aheadMs).toISOString(),
    ...{ outcome: 'automation_error', certainty: 'inferred', isAssessed: false, failures: [] },
    reason: reasons.vanished(exec?.pid ?? 0),
  };
}

function concludeEnd(end: EntryEnd, activity: Pick<KnownActivity, 'judging'>): Conclusion {
  switch (end.kind) {
    case 'told':
      return end.exitCode === undefined ? end : { ...end, output: { exit_code: end.exitCode } };
    case 'locked': {
      // Of the tick that the other one is at, that one knows better.
      const certainty = end.isSameTick ? { certainty: 'inferred' as const } : {};
      return { outcome: 'lock_skipped', reason: reasons.busy(end.holder), ...certainty };
    }
    case 'command': {
      const concluded = concludeCommand(end, activity);
      const left = end.leftRunning === undefined ? '' : reasons.leftRunning(end.leftRunning);
      return { ...concluded, reason: `${concluded.reason}${left}`, output: describeOutput(end) };
    }
  }
}

function concludeCommand(end: CommandEnd, activity: Pick<KnownActivity, 'judging'>): Conclusion {
  const { name, exitCode, signal, fault, timedOut, stoppedBy } = end;
  const failed = (reason: string): Conclusion => ({ outcome: 'automation_error', reason });
  if (timedOut !== undefined) {
    return { outcome: 'timed_out', reason: reasons.timedOut(name, timedOut.afterMs, timedOut.byForce) };
  }
  if (fault !== undefined) return failed(reasons.notBegun(name, fault));
  const said = lastLine(end.output?.stderr ?? '');
  if (exitCode === null || exitCode !== 0) {
    if (exitCode !== null && end.lockSkippedCodes.includes(exitCode)) {
      return { outcome: 'lock_skipped', reason: reasons.locked(name, exitCode) };
    }
    const told =
      exitCode === null ? reasons.signalled(name, signal ?? 'a signal', said) : reasons.exited(name, exitCode, said);
    return stoppedBy === undefined ? failed(told) : { outcome: 'cancelled', reason: reasons.stopped(stoppedBy, told) };
  }
  const passedOn = stoppedBy === undefined ? '' : reasons.passedOn(stoppedBy);
  if (end.answer === undefined) return { outcome: 'completed', reason: `${reasons.exited(name, 0, '')}${passedOn}` };
  return judge(end.answer, name, activity);
}

/** As a 200 with this body is. */
function judge(text: string | null, name: string, { judging }: Pick<KnownActivity, 'judging'>): Conclusion {
  const told = reasons.exited(name, 0, '');
  if (judging === undefined) return { outcome: 'completed', reason: `${told}${reasons.nothingToJudge}` };
  if (text === null) {
    return { outcome: 'automation_error', reason: `${told}; ${reasons.answerTooLong(longestAnswerBytes)}` };
  }
  const { answer } = readAnswer({ status: 200, headers: {}, text }, (same) => same);
  const expected = judging.condition === undefined ? {} : { condition: judging.condition };
  const { outcome, reason, assessed = false, failures = [] } = judgeAnswer(judging.rules, answer, expected);
  return { outcome, reason, isAssessed: assessed, failures };
}

/** What `actcore run --response` shows. */
function describeOutput({ exitCode, signal, leftRunning, output }: CommandEnd): object {
  return {
    exit_code: exitCode,
    signal,
    ...(leftRunning === undefined ? {} : { left_running: leftRunning }),
    ...(output === undefined
      ? {}
      : {
          ...{ stdout: output.stdout, stdout_bytes: output.stdoutBytes },
          ...{ stderr: output.stderr, stderr_bytes: output.stderrBytes },
        }),
  };
}

const longestSaid = 300;

function lastLine(text: string): string {
  const line =
    text
      .trimEnd()
      .split(/[\r\n]/)
      .at(-1) ?? '';
  return cutText(line.trim(), longestSaid);
}
