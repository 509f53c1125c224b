-- What was called when an attempt failed; how failures are found by time and by target; months for whoever may write.

-- In the order in which a worker takes them: neither then holds what the other waits for.
LOCK TABLE actcore.runs, actcore.assessments, actcore.errors, actcore.results IN ACCESS EXCLUSIVE MODE;

-- What was called, such as `POST /sweep` or `poll`; null in rows of an older version.
ALTER TABLE actcore.errors ADD COLUMN operation text;

-- The standing of the row that this one took the place of; null where it was the first, or an older version wrote it.
ALTER TABLE actcore.runs ADD COLUMN replaced smallint;

CREATE INDEX errors_scheduled ON actcore.errors (scheduled_at DESC);
CREATE INDEX errors_target ON actcore.errors (target, scheduled_at DESC) WHERE target IS NOT NULL;
-- What failed as a whole is rare: these stay small, and a run that went well does not pay for them.
CREATE INDEX runs_failed ON actcore.runs (scheduled_at DESC) WHERE outcome IN ('automation_error', 'timed_out');
CREATE INDEX results_failed ON actcore.results (scheduled_at DESC) WHERE outcome IN ('automation_error', 'timed_out');

CREATE OR REPLACE FUNCTION actcore.replace_errors(of_run uuid, tick timestamptz, of_definition text, attempts json) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM actcore.errors WHERE run_id = of_run AND scheduled_at = tick;
  INSERT INTO actcore.errors (run_id, scheduled_at, ordinal, definition_id, target, attempt, at, operation, error, rescued)
  SELECT of_run, tick, failed.ordinal, of_definition, failed.target, failed.attempt, failed.at, failed.operation,
    failed.error, failed.rescued
  FROM ROWS FROM (json_to_recordset(attempts)
      AS (target text, attempt integer, at timestamptz, operation text, error text, rescued boolean))
    WITH ORDINALITY AS failed (target, attempt, at, operation, error, rescued, ordinal);
END
$$;

-- Makes the partitions that hold `moment`, of every table that is partitioned. Safe to call at any time, by any number of
-- sessions at once, and by whoever may write runs: it acts as its owner, and takes nothing but a moment.
CREATE OR REPLACE FUNCTION actcore.ensure_month(moment timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  first_day timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
  month_name text := to_char(first_day, 'YYYY_MM');
  lower_bound timestamptz := first_day AT TIME ZONE 'UTC';
  upper_bound timestamptz := (first_day + interval '1 month') AT TIME ZONE 'UTC';
  parent text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('actcore.ensure_month', 0));
  FOR parent IN
    SELECT relname FROM pg_class WHERE relnamespace = 'actcore'::regnamespace AND relkind = 'p' ORDER BY oid
  LOOP
    EXECUTE format(
      'CREATE TABLE IF NOT EXISTS actcore.%I PARTITION OF actcore.%I FOR VALUES FROM (%L) TO (%L)',
      parent || '_' || month_name, parent, lower_bound, upper_bound);
  END LOOP;
END
$$;
