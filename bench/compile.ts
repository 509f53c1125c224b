import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const count = 10_000;
const mostSeconds = 4;
const mostMegabytes = 600;

/** Reads, validates and compiles 10,000 definition files in a process of its own; its time and memory, start included. */
export async function measureCompile(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'actcore-bench-'));
  try {
    for (let index = 0; index < count; index += 1) {
      const team = join(folder, `team-${index % 100}`);
      if (index < 100) await mkdir(team);
      await writeFile(join(team, `${index}.md`), index % 5 === 4 ? writeWatchdog(index) : writeSweep(index));
    }
    const script = fileURLToPath(new URL('compile-process.js', import.meta.url));
    const started = performance.now();
    const child = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' });
    const seconds = (performance.now() - started) / 1_000;
    if (child.status !== 0) throw new Error(child.stderr);
    const report = JSON.parse(child.stdout) as {
      definitions: number;
      seconds: number;
      readSeconds: number;
      cpu: number;
      megabytes: number;
    };
    const { definitions, cpu, megabytes } = report;
    const inside = `${report.seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of CPU, ${Math.round(megabytes)} MB`;
    console.log(
      `compile: ${definitions} definitions in ${inside}, ${report.readSeconds.toFixed(2)} s of it reading (limits ${mostSeconds} s, ${mostMegabytes} MB)`,
    );
    console.log(`         with the start of the process ${seconds.toFixed(2)} s`);
    if (report.seconds > mostSeconds || megabytes > mostMegabytes || definitions !== count) process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'Australia/Sydney'];

/** No two are alike in schedule, request, rules and prose; one in fifty goes beyond what the fast reader takes. */
function writeSweep(index: number): string {
  const rare = index % 50 === 0 ? 'labels: { tier: "1",\n  team: "a" }\n' : '';
  return `---
id: team-${index % 100}.sweep-${index}
title: Sweep number ${index}
owner: team-${index % 100}
kind: sweep
enabled: ${index % 3 === 0}   # after its canary
schedule: { cron: "${index % 60} ${index % 24} * * ${index % 7}", timezone: ${zones[index % zones.length]}, dst: once, spread: 30s }
misfire_policy: skip
misfire_grace: ${60 + (index % 60)}s
budget: { max_seconds: ${30 + (index % 200)} }
retry: { attempts: ${1 + (index % 5)} }
${rare}env: [TARGET_URL_${index % 50}]
secrets: [TARGET_TOKEN_${index % 50}]
sources:
  local-timer: { cron: "${index % 60} ${index % 24} * * ${index % 7}" }
sweep:
  request:
    method: POST
    url: \${TARGET_URL_${index % 50}}/sweep/${index}
    headers: { Authorization: "Bearer \${TARGET_TOKEN_${index % 50}}" }
    body: { max_seconds: "\${budget.max_seconds}", run_id: "\${run.id}", part: ${index} }
  outcome:
    lock_skipped: body.status == "lock_skipped_${index % 2_000}"
    automation_error: body.automation_error != null
    assessment_failures: >-
      body.failures.map(f, {"target": f.target, "rule": f.rule, "message": f.message})
---
${writeProse(index)}`;
}

function writeWatchdog(index: number): string {
  return `---
id: team-${index % 100}.watchdog-${index}
title: Watchdog number ${index}
owner: team-${index % 100}
kind: watchdog
schedule: { every: ${5 + (index % 50)}m, spread: 1m }
budget: { max_seconds: 60 }
watchdog:
  database: [MAIN_DSN, SPARE_DSN]
  checks:
    stale-rows:
      action: mark as stale
      mode: auto
      key: id
      params: { max_age: ${1 + (index % 30)} days }
---
## stale-rows

\`\`\`sql detect
select r.id, r.status, r.updated_at from rows_${index} r
where r.updated_at < now() - :max_age::interval and r.status <> 'stale' order by r.id
\`\`\`

\`\`\`sql remedy
update rows_${index} set status = 'stale' where id = :id and status <> 'stale'
\`\`\`

${writeProse(index)}`;
}

function writeProse(index: number): string {
  const paragraph = `Number ${index} does its work and says what it found. Nobody needs to be woken for one of them.\n`;
  return `# What this does\n\n${paragraph.repeat(8)}\n## On automation error\n\n${paragraph.repeat(6)}\n## On assessment failure\n\n${paragraph.repeat(6)}`;
}
