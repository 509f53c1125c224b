import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listCalendarTimes } from '../../cli/calendar-reference.ts';
import { compileCadence } from '../../compiler/cadence.ts';
import { compileCron } from '../../compiler/cron.ts';
import { readCalendarEvent } from '../../importers/calendar-event.ts';
import { sayEvents } from '../../importers/event-times.ts';
import { readSystemdTimer } from '../../importers/systemd.ts';
import { listTicks } from '../../ticks/ticks.ts';
import { listFixtures, now, proveAll, readFixture } from './support/imported.ts';

const timers = listFixtures('systemd', '.timer');
const file = (name: string) => ({ file: name, text: readFixture('systemd', name) });
const read = (name: string) =>
  readSystemdTimer(
    { name, timer: [file(name)], service: [file(name.replace('.timer', '.service'))] },
    { timezone: 'Europe/Berlin', now },
  );
const timerOf = (text: string, service?: string) =>
  readSystemdTimer(
    {
      name: 'a.timer',
      timer: [{ file: 'a.timer', text: `[Timer]\n${text}\n` }],
      ...(service === undefined ? {} : { service: [{ file: 'a.service', text: `[Service]\n${service}\n` }] }),
    },
    { timezone: 'UTC', now },
  );

it('the corpus has at least 25 timers, and none of them is a problem', () => {
  expect(timers.length).toBeGreaterThanOrEqual(25);
  expect(timers.flatMap((name) => read(name).problems)).toEqual([]);
});

const isInstalled = spawnSync('systemd-analyze', ['--version']).status === 0;
const monotonic = ['t.dnf-makecache', 't.snapper-cleanup', 't.systemd-tmpfiles-clean'];

describe.runIf(isInstalled)('beside a real systemd-analyze', () => {
  it('every timer fires for 400 days when systemd says that it does, over its clock changes', async () => {
    const jobs = timers.filter((name) => name !== 'odd-second.timer').flatMap((name) => read(name).jobs);
    const proven = await proveAll(jobs);
    const same = proven.filter(({ proof }) => proof.isSame && (proof.firings ?? 0) > 0);
    expect(same.length).toBeGreaterThanOrEqual(25);
    const others = proven.filter((one) => !same.includes(one));
    expect(others.map(({ id, proof }) => [id, proof.reader])).toEqual(monotonic.map((id) => [id, null]));
  }, 90_000);

  it('one that fires within a minute is said to fire that much earlier', async () => {
    const [one] = await proveAll(read('odd-second.timer').jobs);
    expect(one?.proof).toMatchObject({ isSame: false, firings: 400, compiled: 400 });
    expect(one?.proof.cause).toBe('each firing of the definition is 23 s before that of the original');
  });

  const values = (least: number, most: number) => {
    const number = fc.integer({ min: least, max: most });
    return fc.oneof(
      fc.constant('*'),
      number.map(String),
      fc.tuple(number, number).map(([one, other]) => `${Math.min(one, other)}..${Math.max(one, other)}`),
      fc.tuple(number, fc.integer({ min: 1, max: most })).map(([first, step]) => `${first}/${step}`),
      fc.uniqueArray(number, { minLength: 2, maxLength: 3 }).map((list) => list.join(',')),
    );
  };
  const days = fc.constantFrom('', 'Mon ', 'Mon..Fri ', 'Sat,Sun ', 'Tue,Thu..Sat ');
  const event = fc
    .tuple(days, values(1, 12), fc.constantFrom('-', '~'), values(1, 28), values(0, 23), values(0, 59))
    .map(([weekdays, month, sign, day, hour, minute]) => `${weekdays}*-${month}${sign}${day} ${hour}:${minute}`)
    // It takes a list of days from the end in one order only.
    .filter((text) => !/~\d+,/.test(text));

  it('any event is read as systemd reads it, or is refused in words', async () => {
    const [fromMs, toMs] = [Date.UTC(2026, 10, 21), Date.UTC(2028, 2, 31)];
    let said = 0;
    for (const text of fc.sample(event, { numRuns: 60, seed: 20_261_121 })) {
      const parsed = readCalendarEvent(text);
      const times = 'fault' in parsed ? undefined : sayEvents([parsed]);
      if (times === undefined || 'message' in times) continue;
      const { cron = '', skip } = times;
      const compiled = compileCron(cron);
      if ('faults' in compiled) continue;
      const cadence = compileCadence({ cron: compiled.calendars, skip, timezone: 'UTC' }, 'x', 2026);
      const ticks = listTicks(cadence, fromMs, toMs, 800_000);
      const ours = 'ticksMs' in ticks ? ticks.ticksMs.slice(0, 2_000) : [];
      const until = ours.length === 2_000 ? (ours.at(-1) ?? 0) + 1 : toMs;
      const theirs = await listCalendarTimes({ events: [text], timezone: 'UTC' }, fromMs, until, ours.length);
      expect('instants' in theirs ? theirs.instants : theirs, `${text} as ${cron} without ${skip.join('; ')}`).toEqual(
        ours,
      );
      said += 1;
    }
    expect(said).toBeGreaterThan(30);
  }, 90_000);
});

it('what a timer says beside its times is translated or told', () => {
  const [job] = timerOf(
    'OnCalendar=daily\nPersistent=yes\nRandomizedDelaySec=1h 30min\nFixedRandomDelay=true\nAccuracySec=12h\nOnBootSec=5min',
    'ExecStart=/usr/bin/x\nUser=www\nTimeoutStartSec=5min\nExecStartPre=/bin/true',
  ).jobs;
  expect(job).toMatchObject({ misfirePolicy: 'run_once', jitterMs: 5_400_000, maxSeconds: 300 });
  expect(job?.notes.join('\n')).toMatch(
    /jitter.*FixedRandomDelay=[^]*AccuracySec=.*12h[^]*OnBootSec=5min is left out[^]*user `www`[^]*ExecStartPre=/,
  );
});

it('an empty assignment begins the list anew, drop-ins and continued lines are read as systemd does', () => {
  const timer = [
    { file: 'a.timer', text: '[Timer]\nOnCalendar=hourly\n' },
    { file: 'a.timer.d/x.conf', text: '[Timer]\nOnCalendar=\n; a comment\nOnCalendar=*-*-* \\\n# within\n   04:00\n' },
  ];
  const { jobs, problems } = readSystemdTimer({ name: 'a.timer', timer }, { timezone: 'UTC', now });
  expect(problems).toEqual([]);
  expect(jobs[0]?.schedule).toMatchObject({ cron: '0 4 * * *' });
});

it.each([
  ['OnCalendar=*-*-* *:*/5', /a.timer:2:20 .*no step behind a star.*write `0\/5`/],
  ['OnCalendar=Fri..Mon 04:00', /a.timer:2:12 the range `Fri..Mon` runs backwards/],
  ['OnCalendar=*-*-* 24:00', /a.timer:2:18 hour 24 is out of range; allowed: 0-23/],
  ['OnCalendar=midnight', /a.timer:2:12 `midnight` is not a date/],
  ['OnCalendar=*:*:0,7,9', /several times a minute/],
  ['OnCalendar=04:00 Europe/Berlyn', /is not a time zone.*did you mean `Europe\/Berlin`/],
  ['OnCalendar=04:00 Europe/Berlin\nOnCalendar=05:00 Asia/Tokyo', /different zones/],
  ['OnCalendar=2027,2029-01-01', /no unbroken span/],
  ['OnBootSec=5min', /a.timer:2:11 OnBootSec= fires once after the machine/],
  ['OnUnitActiveSec=soon', /`soon` is no interval/],
  ['Persistent=true', /says no time/],
  ['what is this', /a.timer:2:1 `what is this` is not `Key=value`/],
])('%j is refused in words, with its place', (text, says) => {
  const { jobs, problems } = timerOf(text);
  expect(jobs).toEqual([]);
  const told = problems.map(
    ({ file: at, line, column, message, hint = '' }) => `${at}:${line}:${column} ${message} | ${hint}`,
  );
  expect(told.join('\n')).toMatch(says);
});

it('a drop-in keeps the marks of the command, and of several commands those of each', () => {
  const advise = (service: string) =>
    timerOf('OnCalendar=daily', service).jobs[0]?.advise({ program: 'actcore', id: 't.a', source: 's' }).text;
  const exec = 'actcore exec --definition t.a --source s --';
  expect(advise('ExecStart=-/bin/x --y')).toBe(`[Service]\nExecStart=\nExecStart=-${exec} /bin/x --y`);
  // Not together: the second may not run as root because the first does.
  expect(advise('User=man\nExecStart=+/bin/a\nExecStart=/bin/find -exec /bin/b "c" {} ;')).toBe(
    `[Service]\nExecStart=\nExecStart=+/bin/a\nExecStart=${exec} /bin/find -exec /bin/b "c" {} ;`,
  );
});
