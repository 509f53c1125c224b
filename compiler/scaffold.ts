import type { DefinitionKeys } from './schema.ts';

/** The words a new file is made of. */
export interface ScaffoldNames {
  /** Dotted kebab-case. */
  id: string;
  owner: string;
  /** The words of the id where it is absent. */
  title?: string;
  /** Where an editor finds the JSON Schema, from the file itself; absent where there is none. */
  schema?: string;
}

/** Writes a new definition of a kind: complete, without a fault, and not enabled. */
export function scaffoldDefinition(kind: DefinitionKeys['kind'], names: ScaffoldNames): string {
  return kind === 'sweep' ? scaffoldSweep(names) : scaffoldWatchdog(names);
}

/** `team.nightly-sweep` as `Nightly sweep`. */
function titleOf(id: string): string {
  const words = (id.split('.').at(-1) ?? id).replaceAll('-', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

/** Plain words as they are; quoted where YAML might read something else into them. */
function quote(text: string): string {
  return /^[A-Za-z][\w.-]*( [A-Za-z][\w.-]*)*$/.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
}

/** The comment is one that language servers for YAML know. */
function writeHead({ id, owner, title = titleOf(id), schema }: ScaffoldNames): string {
  const comment = schema === undefined ? '' : `# yaml-language-server: $schema=${schema}\n`;
  return `---\n${comment}id: ${quote(id)}\ntitle: ${quote(title)}\nowner: ${quote(owner)}`;
}

function scaffoldSweep(names: ScaffoldNames): string {
  return `${writeHead(names)}
kind: sweep
enabled: false                 # true after a canary of this file has completed
schedule: { cron: "*/15 * * * *", timezone: UTC }
misfire_policy: skip           # or run_once: make up for a tick that came too late
misfire_grace: 60s
budget: { max_seconds: 300 }
on_failure: log_and_continue   # or fail, or pause
env: [TARGET_URL]              # variables of the worker that \${...} may name
secrets: [TARGET_TOKEN]        # the same, never shown
sweep:
  request:
    method: POST
    url: \${TARGET_URL}/sweep
    headers: { Authorization: "Bearer \${TARGET_TOKEN}" }
    body: { max_seconds: "\${budget.max_seconds}", run_id: "\${run.id}" }
  outcome:                     # CEL over status, headers and body
    lock_skipped: status == 409
    automation_error: status >= 400
---

# What this does

Say what is swept, why, and what is lost when a tick is left out.

## On automation error

The sweep did not do its work. Say where to look first, how to start it by hand, and whether it can wait.

## On assessment failure

The sweep ran and found something wrong in the data. Say what each rule means and who repairs it.
`;
}

function scaffoldWatchdog(names: ScaffoldNames): string {
  return `${writeHead(names)}
kind: watchdog
enabled: false                 # true after a canary of this file has completed
schedule: { every: 5m }
budget: { max_seconds: 60 }
watchdog:
  database: [DATABASE_URL]     # variables of the worker, the first one set wins
  destructive_ok: false
  max_actions: 100             # more findings than this and nothing is done
  checks:
    stale-rows:
      action: mark as stale
      mode: dry_run            # then sim, and auto when its findings were the right ones
      key: id                  # what tells one finding from another
      params: { max_age: 3 days }
      threshold: max_age       # stands in the audit
      limit: 1000              # findings that one run takes up
---

# What this does

Say what is watched, and what goes wrong when nobody looks.

## stale-rows

A row is stale when nobody has touched it for three days.

\`\`\`sql detect
select id, status, updated_at
from rows
where updated_at < now() - :max_age::interval and status <> 'stale'
order by id
\`\`\`

\`\`\`sql remedy
update rows set status = 'stale', updated_at = now()
where id = :id
\`\`\`

What was done is kept in the history. Where this database is to have it too, in the same transaction:

\`\`\`sql audit
insert into row_audit (run_id, finding, action, before, after, decision)
values (:run_id::uuid, :finding_key::jsonb, :action, :before::jsonb, :after::jsonb, :decision::jsonb)
\`\`\`

## On automation error

A check could not be run. Say where to look first and whether it can wait.

## On assessment failure

There are findings that nothing was done about. Say what they mean and who repairs them.
`;
}
