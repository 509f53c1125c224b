/** What the timer of a drill runs: asks the target for the work of its tick, and prints what it answers. */
const { TARGET_URL: url = '', DRILL_DEFINITION: definition } = process.env;
const { ACTCORE_SOURCE: source, ACTCORE_SCHEDULED_AT: scheduledAt } = process.env;

const response = await fetch(url, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ definition, source, scheduled_at: scheduledAt }),
});
process.stdout.write(await response.text());
if (!response.ok) process.exitCode = 1;
