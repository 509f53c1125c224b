/** Asks the example State Hub for one sweep, as a script under cron does, and prints what it answers. */
const { STATE_HUB_URL: url, STATE_HUB_TOKEN: token, ACTCORE_MAX_SECONDS: maxSeconds = '60' } = process.env;
const { ACTCORE_SOURCE: source = 'local-timer', ACTCORE_RUN_ID: runId = `local-${process.pid}` } = process.env;

try {
  const response = await fetch(`${url}/consistency/sweep/remote-all`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ max_seconds: Number(maxSeconds), source, run_id: runId }),
  });
  const text = await response.text();
  if (response.ok) process.stdout.write(`${text}\n`);
  else fail(`the State Hub answered ${response.status}: ${text}`);
} catch (error) {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  fail(`the State Hub cannot be asked: ${error instanceof Error ? error.message : String(error)}${cause}`);
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
