import { expect, it } from 'vitest';
import { readCrontab } from '../../importers/crontab.ts';
import { importAll, listFixtures, now, proveAll, readFixture } from './support/imported.ts';

const corpora = listFixtures('crontabs', '.crontab').filter((name) => name !== 'broken.crontab');
const options = { timezone: 'Europe/Berlin', honoursCronTz: true, now };
const read = (name: string) =>
  readCrontab(name, readFixture('crontabs', name), { ...options, isSystem: name.startsWith('system') });

it('the corpus has at least 60 lines of many shapes, and none of them is a problem', () => {
  const found = corpora.map(read);
  expect(found.flatMap(({ problems }) => problems)).toEqual([]);
  const times = found.flatMap(({ jobs }) => jobs.map(({ times: one }) => ('text' in one ? one.text : '')));
  expect(times.length).toBeGreaterThanOrEqual(60);
  expect(new Set(times).size).toBeGreaterThanOrEqual(50);
});

/** What the clocks do to a job of a fixed time in the hour that is skipped: cron fires it at once, we an hour later. */
const differing: Record<string, string> = {
  't.psql': '2027-03-28T01:00:00Z instead of 2027-03-28T01:20:00Z',
  't.in-the-night-of-new-york': '2027-03-14T07:00:00Z instead of 2027-03-14T07:30:00Z',
};

it.each(corpora)('%s: every definition fires for 400 days when cron-parser says that the line does', async (name) => {
  const differences: Record<string, string> = {};
  for (const { id, proof } of await proveAll(read(name).jobs)) {
    expect(proof).toMatchObject({ reader: 'cron-parser' });
    expect(proof.firings).toBeGreaterThan(0);
    if (proof.isSame) continue;
    differences[id] = `${proof.missing.join()} instead of ${proof.extra.join()}`;
    expect(proof.cause).toMatch(/^the clocks of \w+\/\w+ are moved on \d{4}-\d\d-\d\d$/);
  }
  const expected = Object.entries(differing).filter(([id]) => name.startsWith(id === 't.psql' ? 'percent' : 'zones'));
  expect(differences).toEqual(
    name.startsWith('percent') || name.startsWith('zones') ? Object.fromEntries(expected) : {},
  );
});

it('what cron reads in its own way is put into words that mean the same', () => {
  const { jobs } = read('days-and-stars.crontab');
  const said = jobs.map(({ times, schedule }) => [
    'text' in times ? times.text : '',
    [schedule.cron, ...schedule.skip].join(' without '),
  ]);
  expect(Object.fromEntries(said)).toMatchObject({
    '0 5 13 * 5': '0 5 13 * 5',
    '0 5 */2 * 1': '0 5 1-31/2 * * without * * * * 0,2-6',
    '0 5 1-31 * 2': '0 5 * * *',
    '0 5 15 * 0-7': '0 5 * * *',
    '0 5 10 * */2': '0 5 10 * * without * * * * 1-5/2',
    '30 4 1 */3 *': '30 4 1 */3 *',
  });
});

it('every line that is wrong is told of at once, with its place and what to do', () => {
  const { jobs, problems } = read('broken.crontab');
  expect(jobs.map(({ name }) => name)).toEqual(['good']);
  expect(problems.map(({ line, column, message, hint }) => `${line}:${column} ${message} | ${hint ?? ''}`)).toEqual([
    expect.stringMatching(/^2:1 `@reboot` is not a time \| nothing is due when a machine starts; let systemd start it/),
    expect.stringMatching(/^3:35 there is no command behind the times \| five fields/),
    expect.stringMatching(/^4:3 hour 25 is out of range/),
    expect.stringMatching(/^5:1 minute 60 is out of range/),
    '6:1 this never fires: no month has such a day | ',
    expect.stringMatching(/^7:5 `L` is not a day-of-month.*\| .*not standard cron/),
    expect.stringMatching(/^8:5 `15W` is not a day-of-month/),
    expect.stringMatching(/^9:9 `5#2` is not a day-of-week/),
    expect.stringMatching(/^10:13 `\*` stands where the command begins: six fields .*\| cron has no seconds/),
    expect.stringMatching(/^11:2 `0~30` is a random minute .*\| write a fixed one, such as 15/),
    expect.stringMatching(/^12:1 the range `5-1` runs backwards/),
    expect.stringMatching(/^13:2 a step needs `\*` or a range before it/),
    '14:9 the range `fri-sun` runs backwards: for cron SUN is 0 | Sunday at the end of a range is 7',
    expect.stringMatching(/^15:1 `@fortnightly` is not a cron nickname/),
    expect.stringMatching(/^16:1 `@every` is not a cron nickname \| .*every: 5m/),
    expect.stringMatching(/^17:10 there is no command behind the times/),
    expect.stringMatching(/^18:1 `hello` begins no entry/),
    expect.stringMatching(/^19:11 the step `0` of the day-of-week is out of range/),
  ]);
});

it('a crontab of the system without --system, and one of a user with it, are told apart by what to do', () => {
  const user = readCrontab('c', '0 4 * * * /usr/bin/x\n', { ...options, isSystem: true });
  expect(user.problems).toMatchObject([{ line: 1, column: 11, message: /is not the name of a user/ }]);
  const bare = readCrontab('c', '@daily backup\n', { ...options, isSystem: true });
  expect(bare.problems).toMatchObject([{ message: 'there is no command behind the user `backup`', hint: /--system/ }]);
});

it('CRON_TZ holds for the lines below it as in cronie, and is passed over as in the cron of Debian', () => {
  const zones = (honoursCronTz: boolean) =>
    readCrontab('c', readFixture('crontabs', 'zones.crontab'), { ...options, isSystem: false, honoursCronTz }).jobs.map(
      ({ schedule }) => schedule.timezone,
    );
  expect(zones(true)).toEqual([
    'Europe/Berlin',
    ...['America/New_York', 'America/New_York', 'America/New_York', 'Asia/Kolkata', 'UTC', 'UTC'],
  ]);
  expect(new Set(zones(false))).toEqual(new Set(['Europe/Berlin']));
  const bad = readCrontab('c', 'CRON_TZ=Mars/Olympus\n0 4 * * * x\n', { ...options, isSystem: false });
  expect(bad.problems).toMatchObject([{ line: 1, column: 1, message: /`Mars\/Olympus` is not a time zone/ }]);
});

it('the line to put in place runs the same command, `%`, quotes and all', () => {
  const advised = read('percent-and-quotes.crontab').jobs.map(
    ({ advise }) => advise({ program: '/opt/act core', id: 't.x', source: 's' }).text,
  );
  const exec = `'/opt/act core' exec --definition t.x --source s --`;
  expect(advised).toEqual(
    expect.arrayContaining([
      `0 7 * * 1 ${exec} mail -s "Weekly" ops@example.org%Good morning.%%The week begins.`,
      `30 1 * * * ${exec} /bin/sh -c 'tar czf /backup/home-$(date +\\%Y\\%m\\%d).tgz /home'`,
      `20 2 * * * ${exec} /bin/sh -c 'PGPASSWORD=[secret] psql -h db -c '\\''vacuum analyze'\\'''`,
      `-*/30 * * * * ${exec} /usr/local/bin/quiet-job`,
    ]),
  );
});

it('a line that reports already is left alone', () => {
  const text = '0 4 * * * actcore exec --definition ops.backup --source local-cron -- /opt/backup\n';
  const { jobs, problems, notes } = readCrontab('c', text, { ...options, isSystem: false });
  expect({ jobs, problems, notes }).toEqual({
    jobs: [],
    problems: [],
    notes: ['c:1: reports already, as ops.backup.'],
  });
});

it('the steps to take are commands that can be given as they stand', () => {
  const { jobs } = readCrontab('c', '0 4 * * * curl https://a.example/sync\n', {
    ...{ timezone: 'UTC', isSystem: false, honoursCronTz: true, now },
  });
  expect(importAll(jobs)[0]?.text).toContain('`actcore cutover check t.sync --from old-runner`');
});
