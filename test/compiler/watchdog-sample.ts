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
