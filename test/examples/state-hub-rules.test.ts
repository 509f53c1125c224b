import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { writeSheet } from '../../examples/state-hub/demo-repos.ts';
import { listRules, startTestHub, type TestHub } from './support/hub.ts';
import { startTestPostgres, type TestPostgres } from './support/postgres.ts';

const file = 'workplans/a.md';
const active = writeSheet({ id: 'WP-1', title: 'One', status: 'active', tasks: [['T-1', 'Saw', 'todo']] });

let postgres: TestPostgres;
let harness: TestHub;

beforeAll(async () => {
  postgres = startTestPostgres();
}, 60_000);
afterAll(() => postgres?.stop());
beforeEach(async () => {
  harness = await startTestHub(await postgres.createDatabase());
});
afterEach(() => harness?.close());

async function listRows(): Promise<Record<string, unknown>[]> {
  return harness.query('select repo, workplan_id, path, title, status from state_hub.workstreams order by workplan_id');
}

test('C-05 and C-15: a new file gets a row, and its id is committed and pushed; then there is silence', async () => {
  const repo = await harness.addRepo('r', { [file]: active, 'workplans/README.md': 'no workplan', 'notes.md': 'x' });
  expect(listRules(await harness.sweep())).toEqual(['r C-05', 'r C-15']);

  const [row] = await harness.query('select id, status from state_hub.workstreams');
  expect(await repo.read(file)).toContain(`state_hub_workstream_id: ${String(row?.['id'])}\n---\n`);
  expect(await repo.git('status', '--porcelain', '--branch')).toBe('## main...origin/main');
  expect(await repo.git('log', '-1', '--format=%an <%ae>')).toBe('State Hub <state-hub@example.invalid>');
  expect(await repo.git('ls-remote', repo.remote, 'main')).toContain(await repo.git('rev-parse', 'HEAD'));
  expect(await repo.git('show', '--stat', '--format=', 'HEAD')).toContain('1 file changed, 1 insertion(+)');

  const second = await harness.sweep();
  expect(second).toMatchObject({ assessment_failures: [], exit_code: 0, status: 'completed' });
  expect(second.repos).toMatchObject([{ repo: 'r', status: 'ok', pulled: true, files: 1 }]);
});

test('C-01: an unreadable file is reported, keeps its row, and the others are reconciled', async () => {
  const repo = await harness.addRepo('r', { [file]: active });
  await harness.sweep();
  await repo.write(file, '---\nid: "WP-1\n---\n');
  await repo.write('workplans/b.md', writeSheet({ id: 'WP-2', title: 'Two', status: 'done' }));
  await repo.commit();
  expect(listRules(await harness.sweep())).toEqual(['r C-01', 'r C-05', 'r C-15']);
  expect(listRules(await harness.sweep())).toEqual(['r C-01']);
  expect(await listRows()).toHaveLength(2);
});

test('C-01: links, huge files and bytes that are no text are reported and not read', async () => {
  const repo = await harness.addRepo('r', { 'workplans/big.md': `---\nid: WP-1\n---\n${'x'.repeat(300_000)}` });
  await writeFile(join(repo.path, 'workplans/bytes.md'), Buffer.from([0x2d, 0xff, 0xfe]));
  await symlink('/etc/passwd', join(repo.path, 'workplans/link.md'));
  await mkdir(join(repo.path, 'workplans/folder.md'));
  await writeFile(join(repo.path, 'workplans/folder.md/x'), '');
  await repo.commit();
  expect(listRules(await harness.sweep())).toEqual(['r C-01', 'r C-01', 'r C-01', 'r C-01']);
});

test('C-01: a workplans folder that is a link is not followed', async () => {
  const repo = await harness.addRepo('r', { 'elsewhere/a.md': active });
  await symlink('elsewhere', join(repo.path, 'workplans'));
  await repo.commit();
  expect(listRules(await harness.sweep())).toEqual(['r C-01']);
});

test('C-02: a missing id and an id used twice make no row', async () => {
  await harness.addRepo('r', {
    [file]: active,
    'workplans/b.md': active,
    'workplans/c.md': writeSheet({ title: 'No id', status: 'active' }),
  });
  const report = await harness.sweep();
  expect(listRules(report)).toEqual(['r C-02', 'r C-02', 'r C-02']);
  expect(report.assessment_failures.map(({ message }) => message)).toContain(
    'workplans/a.md: the id "WP-1" is used by workplans/b.md too',
  );
  expect(await listRows()).toEqual([]);
});

test('C-02: an id in two repos is reported for both, in the first sweep, and cured by changing one', async () => {
  await harness.addRepo('r1', { [file]: active });
  const other = await harness.addRepo('r2', { [file]: active });
  const report = await harness.sweep();
  expect(listRules(report)).toEqual(['r1 C-02', 'r2 C-02']);
  expect(report.assessment_failures[0]?.message).toContain('r2: workplans/a.md');
  await other.write(file, active.replace('WP-1', 'WP-2'));
  await other.commit();
  expect(listRules(await harness.sweep())).toEqual(['r1 C-05', 'r1 C-15', 'r2 C-05', 'r2 C-15']);
});

test('C-03: an unknown status leaves the row as it was', async () => {
  const repo = await harness.addRepo('r', { [file]: active });
  await harness.sweep();
  await repo.write(file, (await repo.read(file)).replace('active', 'wip'));
  await repo.commit();
  expect(listRules(await harness.sweep())).toEqual(['r C-03']);
  expect(await listRows()).toMatchObject([{ workplan_id: 'WP-1', status: 'active' }]);
});

test('C-04: an unreadable task block leaves the tasks as they were, and the status is reconciled', async () => {
  const repo = await harness.addRepo('r', { [file]: active });
  await harness.sweep();
  const broken = (await repo.read(file)).replace('status: todo', 'status: nearly').replace('active', 'done');
  await repo.write(file, broken);
  await repo.commit();
  expect(listRules(await harness.sweep())).toEqual(['r C-04', 'r C-07']);
  expect(listRules(await harness.sweep())).toEqual(['r C-04']);
  expect(await harness.query('select task_id, status from state_hub.tasks')).toEqual([
    { task_id: 'T-1', status: 'todo' },
  ]);
});

test('C-06: a row without file is reported until the file is back or the row is archived', async () => {
  const repo = await harness.addRepo('r', { [file]: active });
  await harness.sweep();
  await rm(join(repo.path, file));
  await repo.commit();
  expect(listRules(await harness.sweep())).toEqual(['r C-06']);
  expect(listRules(await harness.sweep())).toEqual(['r C-06']);
  await harness.query("update state_hub.workstreams set status = 'archived'");
  expect(listRules(await harness.sweep())).toEqual([]);
});

test('C-07: the file wins over the row for the status of a workplan and of a task, reported once', async () => {
  await harness.addRepo('r', { [file]: active });
  await harness.sweep();
  await harness.query("update state_hub.workstreams set status = 'blocked'");
  await harness.query("update state_hub.tasks set status = 'done'");
  const report = await harness.sweep();
  expect(report.assessment_failures.map(({ message }) => message)).toEqual([
    'workplans/a.md: the status of WP-1 is active in the file and was blocked in the row; the row is updated',
    'workplans/a.md: the status of task T-1 is todo in the file and was done in the row; the row is updated',
  ]);
  expect(await listRows()).toMatchObject([{ status: 'active' }]);
  expect(listRules(await harness.sweep())).toEqual([]);
});

test('a new title, another path and new tasks are taken over in silence', async () => {
  const repo = await harness.addRepo('r', { [file]: active });
  await harness.sweep();
  await rename(join(repo.path, file), join(repo.path, 'workplans/moved.md'));
  const text = await repo.read('workplans/moved.md');
  await repo.write('workplans/moved.md', `${text}\n\`\`\`task\nid: T-2\ntitle: Oil\nstatus: done\n\`\`\`\n`);
  await repo.commit();
  const report = await harness.sweep();
  expect(report.assessment_failures).toEqual([]);
  expect(report.repos).toMatchObject([{ rows_updated: 1, rows_made: 0 }]);
  expect(await listRows()).toMatchObject([{ path: 'workplans/moved.md' }]);
  expect(await harness.query('select task_id from state_hub.tasks order by position')).toHaveLength(2);
});

test('a workplan whose id is changed keeps its row; a copy with another id gets one of its own', async () => {
  const repo = await harness.addRepo('r', { [file]: active });
  await harness.sweep();
  const [before] = await harness.query('select id from state_hub.workstreams');
  await repo.write(file, (await repo.read(file)).replace('WP-1', 'WP-9'));
  await repo.commit();
  expect(listRules(await harness.sweep())).toEqual([]);
  expect(await harness.query('select id, workplan_id from state_hub.workstreams')).toEqual([
    { id: before?.['id'], workplan_id: 'WP-9' },
  ]);
  await repo.write('workplans/copy.md', (await repo.read(file)).replace('WP-9', 'WP-10'));
  await repo.commit();
  expect(listRules(await harness.sweep())).toEqual(['r C-05', 'r C-15']);
  expect(await repo.read('workplans/copy.md')).not.toContain(String(before?.['id']));
  expect(listRules(await harness.sweep())).toEqual([]);
});

test('two files with one row id and two new workplan ids get a row each', async () => {
  const repo = await harness.addRepo('r', { [file]: active });
  await harness.sweep();
  const text = await repo.read(file);
  await repo.write(file, text.replace('WP-1', 'WP-2'));
  await repo.write('workplans/b.md', text.replace('WP-1', 'WP-3'));
  await repo.commit();
  const repairs = ['r C-05', 'r C-05', 'r C-15', 'r C-15'];
  expect(listRules(await harness.sweep())).toEqual([...repairs, 'r C-06'].sort());
  expect(listRules(await harness.sweep())).toEqual(['r C-06']);
  expect((await listRows()).map((row) => row['workplan_id'])).toEqual(['WP-1', 'WP-2', 'WP-3']);
});

test('C-15: a push that the remote refuses is reported in every sweep and leaves the clone clean', async () => {
  const repo = await harness.addRepo('r', { [file]: active });
  const hook = join(repo.remote, 'hooks/pre-receive');
  await mkdir(join(repo.remote, 'hooks'), { recursive: true });
  await writeFile(hook, '#!/bin/sh\nexit 1\n');
  await chmod(hook, 0o755);
  const report = await harness.sweep();
  expect(listRules(report)).toEqual(['r C-05', 'r C-15']);
  expect(report.assessment_failures[1]?.message).toContain('not written: the push was rejected');
  expect(report.automation_error).toBeNull();
  expect(await repo.git('status', '--porcelain', '--branch')).toBe('## main...origin/main');
  expect(listRules(await harness.sweep())).toEqual(['r C-15']);
  await rm(hook);
  expect(listRules(await harness.sweep())).toEqual(['r C-15']);
  expect(listRules(await harness.sweep())).toEqual([]);
});

test('C-15: a push that somebody was faster than is made again on top of theirs', async () => {
  const repo = await harness.addRepo('r', { [file]: active, 'workplans/b.md': active.replace('WP-1', 'WP-2') });
  // The first push meets a commit that arrives while it is under way: the hook makes it, once.
  const hook = join(repo.remote, 'hooks/pre-receive');
  await repo.commitElsewhere({ 'workplans/b.md': active.replace('WP-1', 'WP-2').replace('Saw', 'Plane') });
  const theirs = (await repo.git('ls-remote', repo.remote, 'main')).split('\t')[0] ?? '';
  await repo.git('push', '--quiet', '--force', 'origin', 'HEAD:main');
  await mkdir(join(repo.remote, 'hooks'), { recursive: true });
  const unquarantined = 'unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES';
  await writeFile(
    hook,
    `#!/bin/sh\n${unquarantined}\nrm -f hooks/pre-receive\ngit update-ref refs/heads/main ${theirs}\n`,
  );
  await chmod(hook, 0o755);
  const report = await harness.sweep();
  await expect(readFile(hook)).rejects.toThrow('ENOENT');
  expect(listRules(report)).toEqual(['r C-05', 'r C-05', 'r C-15']);
  expect(report.repos).toMatchObject([{ status: 'ok', ids_written: 1 }]);
  expect(await repo.git('status', '--porcelain', '--branch')).toBe('## main...origin/main');
  expect(await repo.read('workplans/b.md')).not.toContain('state_hub_workstream_id');
  expect(listRules(await harness.sweep())).toEqual(['r C-15']);
  expect(listRules(await harness.sweep())).toEqual([]);
  expect(await repo.read('workplans/b.md')).toContain('Plane');
  expect(await repo.read('workplans/b.md')).toContain('state_hub_workstream_id');
});

test('C-15: a frontmatter in braces is left alone, and the message says which id to write by hand', async () => {
  const repo = await harness.addRepo('r', { [file]: '---\n{ id: WP-1, title: One, status: active }\n---\n' });
  await harness.sweep();
  const report = await harness.sweep();
  expect(listRules(report)).toEqual(['r C-15']);
  const [row] = await harness.query('select id from state_hub.workstreams');
  expect(report.assessment_failures[0]?.message).toContain(`write ${String(row?.['id'])} by hand`);
  expect(await repo.git('status', '--porcelain', '--branch')).toBe('## main...origin/main');
});

test('C-16: a dirty clone is not pulled and not written to, and what is in it stays', async () => {
  const repo = await harness.addRepo('r', { [file]: active });
  await repo.commitElsewhere({ [file]: active.replace('status: active', 'status: done') });
  await repo.write('notes.txt', 'mine');
  const head = await repo.git('rev-parse', 'HEAD');
  const report = await harness.sweep();
  expect(report.assessment_failures).toEqual([
    {
      repo: 'r',
      rule: 'C-16',
      message: 'the clone is not pulled and not written to: it has 1 uncommitted change(s)',
    },
  ]);
  expect(report.repos).toMatchObject([{ status: 'gated', pulled: false }]);
  expect(await repo.git('rev-parse', 'HEAD')).toBe(head);
  expect(await repo.read(file)).toBe(active);
  await rm(join(repo.path, 'notes.txt'));
  expect(listRules(await harness.sweep())).toEqual(['r C-05', 'r C-15']);
  expect(await listRows()).toMatchObject([{ status: 'done' }]);
});

test('C-16: commits that are not pushed, a detached head and a branch without upstream close the gate too', async () => {
  const repo = await harness.addRepo('r', { [file]: active });
  const git = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.invalid'];
  await repo.git(...git, 'commit', '--quiet', '--allow-empty', '-m', 'Mine');
  expect((await harness.sweep()).repos[0]?.message).toContain('1 commit(s) that are not pushed');
  await repo.git('checkout', '--quiet', '--detach');
  expect((await harness.sweep()).repos[0]?.message).toContain('no branch is checked out');
  await repo.git('checkout', '--quiet', '-b', 'side');
  expect((await harness.sweep()).repos[0]?.message).toContain('side follows no remote branch');
  expect(await listRows()).toEqual([]);
});

test('C-00: a repo whose git fails is an automation error, and the others are swept', async () => {
  const gone = await harness.addRepo('gone', { [file]: active });
  const lost = await harness.addRepo('lost', { [file]: active });
  await harness.addRepo('well', { 'workplans/z.md': active.replace('WP-1', 'WP-7') });
  await rm(gone.path, { recursive: true });
  await rm(lost.remote, { recursive: true });
  const report = await harness.sweep();
  expect(listRules(report)).toEqual(['gone C-00', 'lost C-00', 'well C-05', 'well C-15']);
  expect(report).toMatchObject({ status: 'completed', exit_code: 1 });
  expect(report.automation_error).toMatch(/gone: git .*; lost: git fetch failed/);
  expect(report.repos.find(({ repo }) => repo === 'gone')?.status).toBe('failed');
});

test('a hook of a clone and a filter of the machine are not run', async () => {
  const repo = await harness.addRepo('r', { [file]: active });
  for (const name of ['post-merge', 'pre-push', 'post-checkout', 'reference-transaction']) {
    await writeFile(join(repo.path, '.git/hooks', name), '#!/bin/sh\ntouch "$(git rev-parse --git-dir)/ran"\n');
    await chmod(join(repo.path, '.git/hooks', name), 0o755);
  }
  await harness.sweep();
  await expect(repo.read('.git/ran')).rejects.toThrow('ENOENT');
});
