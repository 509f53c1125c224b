/** A watchdog without a fault; the line numbers of the tests count from its first line. */
export const watchdogSample = `---
id: team.stale-rows
title: Stale rows
owner: team
kind: watchdog
schedule: { every: 5m }
budget: { max_seconds: 60 }
secrets: [HUB_TOKEN]
env: [HUB_URL]
watchdog:
  database: [MAIN_DSN, SPARE_DSN]
  max_actions: 20
  checks:
    stale-plans:
      action: mark as stale
      mode: auto
      params: { max_age: 3 days, statuses: [open, ready] }
      key: id
    lost-rows:
      key: [id, kind]
      action: tell the hub
      limit: 50
      remedy:
        http:
          request:
            method: POST
            url: \${HUB_URL}/rows/\${finding.id}
            headers: { Authorization: "Bearer \${HUB_TOKEN}" }
---
# What this does

## stale-plans

A plan is stale when nobody touched it.

\`\`\`sql detect
select id, status, updated_at as age
from plans
where updated_at < now() - :max_age::interval and status = any(:statuses)
\`\`\`

\`\`\`sql remedy
update plans set status = 'stale' where id = :id
\`\`\`

\`\`\`sql audit
insert into gardener_runs (run_id, before, after) values (:run_id, :before::jsonb, :after::jsonb)
\`\`\`

## \`lost-rows\`

\`\`\`sql detect
select r.id, r.kind from rows r
\`\`\`

\`\`\`sql
-- for a person: not run, may be anything :here
\`\`\`

## On automation error
## On assessment failure
`;

/** The same with every key that a check may have, and a remedy for all findings at once. */
export const fullWatchdogSample = watchdogSample
  .replace('{ every: 5m }', '{ every: 5m, listen: plans_changed, debounce: 2s }')
  .replace(
    'mode: auto',
    'mode: auto\n      batch: true\n      max_rows: 2\n      threshold: max_age\n      cooldown: 10m\n      quarantine_after: 3',
  )
  .replace('where id = :id', 'from findings f where plans.id = f.id; -- all of them')
  .replace('limit: 50', 'limit: 50\n      destructive: true');
