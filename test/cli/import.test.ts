import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkout } from '../support/program.ts';
import { writeDefinition } from '../support/definitions.ts';
import { readActcore, runActcore, startActcore, writeFolder } from './support/actcore.ts';

const fixture = (name: string) => join(checkout, 'test/fixtures/import', name);

const crontab = [
  'SHELL=/bin/bash',
  '*/15 * * * * curl -fsS -X POST -H "Authorization: Bearer Hunter2-xK9" https://hub.example.org/sweep',
  '0 4 * * 1-5 /opt/backup/run.sh --full && touch /tmp/done',
  '@reboot /usr/local/bin/start-me',
  '',
].join('\n');

interface Document {
  definitions: { id: string; state: string; does: string; proof: { isSame: boolean; firings: number; days: number } }[];
  problems: { file: string; line: number; column: number }[];
}

/** Imports a crontab from standard input. */
async function importStdin(text: string, args: string[], cwd: string) {
  const child = startActcore(['import', 'crontab', '-', '--prefix', 'ops', '--timezone', 'UTC', ...args], { cwd });
  child.stdin.end(text);
  const { exitCode, stdout, stderr } = await child;
  return { exitCode, stdout, stderr };
}

it('a crontab becomes definitions that lint clean, and what cannot be one is told with its place', async () => {
  const cwd = writeFolder({});
  const { exitCode, stdout, stderr } = await importStdin(crontab, [], cwd);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^ops\.sweep +\*\/15 \* \* \* \* UTC +POST request +38400 +the same +written$/m);
  expect(stdout).toMatch(/^ops\.backup-run +0 4 \* \* 1-5 UTC +needs an endpoint +28\d +the same +written$/m);
  expect(stdout).toContain(
    "\n0 4 * * 1-5 actcore exec --definition ops.backup-run --source local-cron -- /bin/bash -c '/opt/backup/run.sh --full && touch /tmp/done'\n",
  );
  expect(stdout).toMatch(/\n2 definitions, 2 written; 2 proven to fire at the same times for 400 days; 1 problem$/);
  expect(stderr).toMatch(
    /^stdin:4:1: error: `@reboot` is not a time\n {2}4 \| @reboot \/usr\/local\/bin\/start-me\n {4}\| \^\n {2}hint: /,
  );
  expect(stdout + stderr).not.toContain('Hunter2');
  const names = readdirSync(join(cwd, 'activity-definitions'));
  expect(names.sort()).toEqual(['ops.backup-run.md', 'ops.sweep.md']);
  for (const name of names)
    expect(readFileSync(join(cwd, 'activity-definitions', name), 'utf8')).not.toContain('Hunter2');
  expect(await runActcore(['lint', '--strict'], { cwd })).toMatchObject({ exitCode: 0, stderr: '' });
});

it('the same crontab again changes nothing; what was edited is kept, until --force', async () => {
  const cwd = writeFolder({});
  const good = crontab.replace(/@reboot.*\n/, '');
  expect(await importStdin(good, ['--owner', 'ops'], cwd)).toMatchObject({ exitCode: 0, stderr: '' });
  const again = await importStdin(good, ['--owner', 'ops'], cwd);
  expect(again.exitCode).toBe(0);
  expect(again.stdout).toMatch(/ the same +same$/m);
  expect(again.stdout).toContain('2 definitions, 0 written');
  const file = join(cwd, 'activity-definitions/ops.sweep.md');
  writeFileSync(file, `${readFileSync(file, 'utf8')}mine\n`);
  const kept = await importStdin(good, ['--owner', 'ops'], cwd);
  expect(kept.exitCode).toBe(1);
  expect(kept.stdout).toMatch(/kept: activity-definitions\/ops\.sweep\.md is there already; replace it with --force$/m);
  expect(readFileSync(file, 'utf8')).toMatch(/mine\n$/);
  expect((await importStdin(good, ['--owner', 'ops', '--force'], cwd)).stdout).toMatch(/ replaced$/m);
  expect(readFileSync(file, 'utf8')).not.toMatch(/mine\n$/);
});

it('an id that another file has is not given away twice', async () => {
  const cwd = writeFolder({ 'activity-definitions/other.md': writeDefinition('ops.sweep') });
  const { exitCode, stdout } = await importStdin(crontab, [], cwd);
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/taken: activity-definitions\/other\.md has this id; give another --prefix$/m);
  expect(existsSync(join(cwd, 'activity-definitions/ops.sweep.md'))).toBe(false);
});

it('--json is the whole of it, and --dry-run writes nothing', async () => {
  const cwd = writeFolder({ 'a.crontab': crontab });
  const args = ['import', 'crontab', 'a.crontab', '--dry-run', '--timezone', 'Europe/Berlin'];
  const { document, exitCode } = await readActcore<Document>(args, { cwd });
  expect(exitCode).toBe(1);
  expect(document.problems).toMatchObject([{ file: 'a.crontab', line: 4, column: 1 }]);
  expect(document.definitions).toMatchObject([
    { id: 'crontab.sweep', state: 'not written', does: 'request', proof: { isSame: true, days: 400, firings: 38_400 } },
    { id: 'crontab.backup-run', state: 'not written', does: 'placeholder', proof: { isSame: true } },
  ]);
  expect(JSON.stringify(document)).not.toContain('Hunter2');
  expect(existsSync(join(cwd, 'activity-definitions'))).toBe(false);
});

it('a timer is read with its service and its drop-ins, an instance with the template it is of', async () => {
  const cwd = writeFolder({
    'dump@.timer': '[Timer]\nOnCalendar=hourly\nPersistent=true\n',
    'dump@.service': '[Service]\nExecStart=/usr/bin/curl https://hub.example.org/dump\n',
    'dump@shop.timer.d/times.conf': '[Timer]\nOnCalendar=\nOnCalendar=Mon..Fri 04:00\n',
  });
  symlinkSync('dump@.timer', join(cwd, 'dump@shop.timer'));
  const args = ['import', 'systemd', 'dump@shop.timer', '--timezone', 'UTC', '--to', 'defs'];
  const { stdout } = await runActcore(args, { cwd });
  expect(stdout).toMatch(/^systemd\.dump-shop +0 4 \* \* 1-5 UTC +GET request +/m);
  expect(readFileSync(join(cwd, 'defs/systemd.dump-shop.md'), 'utf8')).toContain('misfire_policy: run_once');
});

it('CronJobs are imported by the words of their namespaces', async () => {
  const cwd = writeFolder({});
  const { exitCode, stdout } = await runActcore(['import', 'cronjob', fixture('cronjobs/list.yaml')], { cwd });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(
    /^books\.monthly-close +0 6 1 \* \* Europe\/London +a Kubernetes Job +1[34] +the same +written$/m,
  );
  expect(stdout).toContain('kubectl patch cronjob monthly-close -n books --type=json');
});

it('colour follows NO_COLOR and FORCE_COLOR', async () => {
  const cwd = writeFolder({ 'a.crontab': '0 4 * * * /opt/x\n' });
  const args = ['import', 'crontab', 'a.crontab', '--dry-run'];
  expect((await runActcore(args, { cwd, env: { FORCE_COLOR: '1' } })).stdout).toContain('\u001b[3');
  expect((await runActcore(args, { cwd, env: { FORCE_COLOR: '1', NO_COLOR: '1' } })).stdout).not.toContain('\u001b');
});

it.each([
  [['crontab', 'nothing'], /^error: nothing cannot be read: no such file or directory$/],
  [['crontab', '.'], /^error: \. is not a file$/],
  [['crontab', 'latin1'], /^error: latin1:2:1: not UTF-8\n {2}Save it as UTF-8/],
  [['systemd', 'nothing.timer'], /^error: nothing\.timer cannot be read/],
  [['cronjob', 'empty'], /^empty:1:1: error: there is no CronJob in it$/],
  [['crontab', 'empty', '--prefix', 'No Id'], /^error: --prefix No Id cannot begin an id/],
  [['crontab', 'empty', '--source', 'activity-core'], /^error: --source activity-core is not a source name/],
  [
    ['crontab', 'empty', '--timezone', 'Berlin'],
    /^error: --timezone: `Berlin` is not a time zone.*\n {2}did you mean `Europe\/Berlin`/,
  ],
  [['crontab', 'good', '--owner', ''], /^error: --owner is not a name/],
  [['crontab', 'good', '--to', '/dev/null/x'], /^error: \/dev\/null\/x cannot be made/],
  [['crontab', 'good', '--cron', 'fcron'], /Allowed choices are cronie, vixie\./],
])('import %j is refused in words', async (args, says) => {
  const cwd = writeFolder({
    ...{ latin1: Buffer.from('# a\n# caf\u00e9\n', 'latin1'), empty: '', good: '0 4 * * * /opt/x\n' },
  });
  mkdirSync(join(cwd, 'folder'));
  const { exitCode, stderr } = await runActcore(['import', ...args], { cwd });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(says);
  expect(stderr).not.toMatch(/\n\s+at /);
});
