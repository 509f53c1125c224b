import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readCronJobs } from '../../importers/cronjob.ts';
import { readCrontab } from '../../importers/crontab.ts';
import type { FoundJobs } from '../../importers/crontab.ts';
import { readSystemdTimer } from '../../importers/systemd.ts';
import { importAll, listFixtures, now, readFixture } from './support/imported.ts';

const pieces = [
  ...[
    '\n',
    '\r\n',
    '\t',
    '\0',
    '\uFEFF',
    '💥',
    ' ',
    '%',
    '\\%',
    '*',
    '*/',
    '/',
    '-',
    '~',
    '..',
    ',',
    '@',
    '#',
    '?',
    'L',
  ],
  ...[
    '"',
    "'",
    '`',
    '$(',
    '${',
    '$',
    '|',
    '&&',
    ';',
    '>',
    '<',
    '\\',
    '=',
    ':',
    '[',
    ']',
    '{',
    '}',
    '- ',
    '---\n',
    '&a ',
    '*a',
  ],
  ...[
    '99999999999999999999',
    '-1',
    '0',
    '60',
    'mon',
    'OnCalendar=',
    'schedule: ',
    '__proto__: 1\n',
    'curl ',
    '-H ',
    '-d {',
    'http://',
    '```',
  ],
];

/** A text with up to four pieces put in, and as many pieces of itself taken out. */
const damage = (text: string) =>
  fc
    .array(fc.tuple(fc.nat(text.length), fc.nat(12), fc.constantFrom(...pieces)), { minLength: 1, maxLength: 4 })
    .map((edits) =>
      edits.reduce((current, [at, cut, piece]) => current.slice(0, at) + piece + current.slice(at + cut), text),
    );

/** What was read becomes definitions that lint clean; what was not has a place in the file. */
function expectSound({ jobs, problems }: FoundJobs, text: string): void {
  const rows = text.split('\n').length;
  for (const { line, column, message } of problems) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(rows);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(message).not.toBe('');
  }
  importAll(jobs);
}

const crontab = listFixtures('crontabs', '.crontab').flatMap((name) =>
  readFixture('crontabs', name)
    .split('\n')
    .filter((_, index) => index % 4 === 1),
);
it('a damaged crontab is read or refused, line by line, and never ends in an exception', () => {
  fc.assert(
    fc.property(
      fc.subarray(crontab, { minLength: 4, maxLength: 8 }).chain((rows) => damage(rows.join('\n'))),
      fc.boolean(),
      (text, isSystem) => {
        expectSound(readCrontab('c', text, { isSystem, honoursCronTz: true, timezone: 'UTC', now }), text);
      },
    ),
    { numRuns: 250, seed: 3 },
  );
}, 60_000);

const timers = listFixtures('systemd', '.timer');
it('a damaged timer is read or refused', () => {
  fc.assert(
    fc.property(
      fc
        .constantFrom(...timers)
        .chain((name) =>
          fc.tuple(
            damage(readFixture('systemd', name)),
            damage(readFixture('systemd', name.replace('.timer', '.service'))),
          ),
        ),
      ([timer, service]) => {
        const found = readSystemdTimer(
          {
            name: 'a.timer',
            timer: [{ file: 'a.timer', text: timer }],
            service: [{ file: 'a.service', text: service }],
          },
          { timezone: 'Europe/Berlin', now },
        );
        expectSound(found, timer.length > service.length ? timer : `${timer}${service}`);
      },
    ),
    { numRuns: 250, seed: 4 },
  );
}, 60_000);

const manifests = readFixture('cronjobs', 'batch.yaml').split('---\n');
it('a damaged manifest is read or refused', () => {
  fc.assert(
    fc.property(fc.constantFrom(...manifests).chain(damage), (text) => {
      expectSound(readCronJobs('m', text, { timezone: 'UTC', now }), text);
    }),
    { numRuns: 250, seed: 5 },
  );
}, 60_000);

it('whatever bytes come, something is said', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expectSound(readCrontab('c', text, { isSystem: false, honoursCronTz: true, timezone: 'UTC', now }), text);
      expectSound(readCronJobs('m', text, { timezone: 'UTC', now }), text);
      expectSound(readSystemdTimer({ name: 'a.timer', timer: [{ file: 'a', text }] }, { timezone: 'UTC', now }), text);
    }),
    { numRuns: 300, seed: 6 },
  );
}, 60_000);
