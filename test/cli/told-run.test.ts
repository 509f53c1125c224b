import { expect, it } from 'vitest';
import { checkToldRun, completeToldRun, parseFailure, parseToldRun } from '../../cli/told-run.ts';

const nowMs = Date.parse('2026-03-01T12:00:00Z');
const placeOf = (path: PropertyKey[]) => ['options', ...path].join('.');
const complete = (told: unknown) => completeToldRun(checkToldRun(told, placeOf), nowMs);

it('a run is completed by what follows from the rest, in UTC', () => {
  expect(complete({ exitCode: 0 })).toEqual({
    ...{ exitCode: 0, outcome: 'completed' },
    ...{ startedAt: '2026-03-01T12:00:00.000Z', finishedAt: '2026-03-01T12:00:00.000Z' },
  });
  expect(complete({ exitCode: 3, startedAt: '2026-03-01T12:00:00+01:00' })).toMatchObject({
    ...{ outcome: 'automation_error', startedAt: '2026-03-01T11:00:00.000Z' },
  });
  expect(complete({ exitCode: 75, outcome: 'lock_skipped' })).toMatchObject({ outcome: 'lock_skipped' });
});

it('a clock that is a little ahead is no future', () => {
  expect(complete({ exitCode: 0, finishedAt: '2026-03-01T12:00:29Z' })).toMatchObject({ outcome: 'completed' });
});

it.each([
  [{ exitCode: 0, startedAt: '2026-03-01T12:00:31Z' }, 'The run is started at 2026-03-01T12:00:31.000Z, 31 s from now'],
  [
    { exitCode: 0, scheduledAt: '2026-03-02T12:00:00Z' },
    'The run is scheduled at 2026-03-02T12:00:00Z, 86400 s from now',
  ],
  [{}, 'Nothing says how the run ended'],
  [{ outcome: 'missed' }, 'options.outcome: Invalid option'],
  [{ exitCode: 256 }, 'options.exitCode: expected an exit code from 0 to 255'],
  [{ exitCode: Number.NaN }, 'options.exitCode: expected an exit code from 0 to 255'],
  [{ exitCode: 0, startedAt: 'yesterday' }, 'options.startedAt: expected a time such as'],
  [{ exitCode: 0, startedAt: '2026-03-01T10:00:01Z', finishedAt: '2026-03-01T10:00:00Z' }, 'after its end at'],
  [{ exitCode: 0, reporterId: 'me' }, 'options.reporterId: Invalid UUID'],
  [{ exitCode: 0, assessmentFailures: [{ target: 'a' }] }, 'options.assessmentFailures.0.rule: '],
  [{ exit_code: 0 }, 'options: Unrecognized key: "exit_code"'],
])('%j is refused: %s', (told, message) => {
  expect(() => complete(told)).toThrow(message);
});

it('what is no JSON is refused by its place', () => {
  expect(() => parseToldRun('{"exitCode": ', 'run.json')).toThrow(/^run\.json is not JSON: /);
  expect(parseToldRun('{"exitCode": 0}', 'stdin')).toEqual({ exitCode: 0 });
});

it('of a failure only the message may hold more colons', () => {
  expect(parseFailure('repo:C-05:it differs: a lot')).toEqual({
    target: 'repo',
    rule: 'C-05',
    message: 'it differs: a lot',
  });
  expect(parseFailure('repo:C-05')).toBeUndefined();
  expect(parseFailure(':C-05:x')).toBeUndefined();
});
