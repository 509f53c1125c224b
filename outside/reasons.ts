import { seconds } from '../activities/reasons.ts';

/** Every sentence that says why an outside run ended as it did. */
export const outsideReasons = {
  exited: (name: string, code: number, said: string) => `${name} exited with ${code}${said === '' ? '' : `: ${said}`}`,
  locked: (name: string, code: number) => `${name} exited with ${code}, which says that somebody else is at work`,
  signalled: (name: string, signal: string, said: string) =>
    `${name} was ended by ${signal}${said === '' ? '' : `; it had said: ${said}`}`,
  stopped: (signal: string, told: string) => `somebody stopped it by ${signal}; ${told}`,
  passedOn: (signal: string) => `; it was sent ${signal} meanwhile`,
  notBegun: (name: string, fault: string) => `${name} did not begin: ${fault}`,
  timedOut: (name: string, afterMs: number, byForce: boolean) =>
    `${name} had not ended by the hard timeout of ${seconds(afterMs)} and was sent SIGTERM${byForce ? ', and SIGKILL as that did not end all of it' : ''}`,
  leftRunning: (what: string) => `; it left running: ${what}`,
  busy: ({ pid, since, isOrphan }: { pid: number; since: string; isOrphan: boolean }) =>
    `another run of it is at work on this machine since ${since} (${isOrphan ? `the command of an exec that was killed, pid ${pid}` : `pid ${pid}`}); nothing was done`,
  vanished: (pid: number) =>
    `exec (pid ${pid}) was killed, or could not keep how its command ended: whether that did its work is unknown`,
  answerTooLong: (bytes: number) => `its answer could not be kept whole (${bytes} bytes at most), and cannot be judged`,
  nothingToJudge: '; its answer was not judged, for the definition has no outcome rules',
  clock: (aheadMs: number) =>
    `; its clock was ${seconds(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead' : 'behind'}, which was taken off`,
  dropped: (count: number) =>
    `; ${count} report${count === 1 ? '' : 's'} before it ${count === 1 ? 'was' : 'were'} lost: the history was away, and the spool had no room`,
  tooShort: (tookMs: number, leastMs: number) =>
    `; it took ${seconds(tookMs)}, less than the min_duration of ${seconds(leastMs)}`,
} as const;
