-- Where the time of a run went, which of its attempts failed, and how each target of a fan-out ended.

-- No constraints that the rows of old would have to be read for.
ALTER TABLE actcore.runs
  -- Milliseconds by stage, such as {"queueMs": 12, "connectMs": 3}; null where no request was made.
  ADD COLUMN stages jsonb,
  -- How many targets ended how, such as {"total": 200, "completed": 198}; null where the run was no fan-out.
  ADD COLUMN targets jsonb,
  -- It completed faster than the definition believes possible.
  ADD COLUMN too_short boolean NOT NULL DEFAULT false,
  -- How many of its rows in `results` the history could not take, or is not known to have taken.
  ADD COLUMN details_dropped integer NOT NULL DEFAULT 0;

CREATE TABLE actcore.errors (
  run_id uuid NOT NULL,
  scheduled_at timestamptz NOT NULL,
  ordinal integer NOT NULL,
  definition_id text NOT NULL,
  -- Null outside a fan-out.
  target text,
  attempt integer NOT NULL,
  at timestamptz NOT NULL,
  error text NOT NULL,
  -- A later attempt succeeded.
  rescued boolean NOT NULL,
  PRIMARY KEY (run_id, scheduled_at, ordinal)
) PARTITION BY RANGE (scheduled_at);

CREATE INDEX errors_definition ON actcore.errors (definition_id, scheduled_at DESC);

CREATE TABLE actcore.results (
  run_id uuid NOT NULL,
  scheduled_at timestamptz NOT NULL,
  -- The place of the target in the list, from 0.
  ordinal integer NOT NULL,
  target text NOT NULL,
  outcome text NOT NULL
    CHECK (outcome IN ('completed', 'automation_error', 'lock_skipped', 'timed_out', 'not_reached')),
  assessment text NOT NULL CHECK (assessment IN ('passed', 'failed', 'none')),
  assessment_failure_count integer NOT NULL CHECK (assessment_failure_count >= 0),
  reason text NOT NULL,
  status integer,
  attempt integer NOT NULL,
  idempotency_key text,
  started_at timestamptz,
  finished_at timestamptz,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, scheduled_at, ordinal)
) PARTITION BY RANGE (scheduled_at);

-- Writes which attempts of a run failed, in place of what an earlier report of the same run said; see replace_assessments.
CREATE FUNCTION actcore.replace_errors(of_run uuid, tick timestamptz, of_definition text, attempts json) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM actcore.errors WHERE run_id = of_run AND scheduled_at = tick;
  INSERT INTO actcore.errors (run_id, scheduled_at, ordinal, definition_id, target, attempt, at, error, rescued)
  SELECT of_run, tick, failed.ordinal, of_definition, failed.target, failed.attempt, failed.at, failed.error, failed.rescued
  FROM ROWS FROM (json_to_recordset(attempts) AS (target text, attempt integer, at timestamptz, error text, rescued boolean))
    WITH ORDINALITY AS failed (target, attempt, at, error, rescued, ordinal);
END
$$;

-- Makes the partitions that hold `moment`. Safe to call at any time, by any number of sessions at once.
CREATE OR REPLACE FUNCTION actcore.ensure_month(moment timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  first_day timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
  month_name text := to_char(first_day, 'YYYY_MM');
  lower_bound timestamptz := first_day AT TIME ZONE 'UTC';
  upper_bound timestamptz := (first_day + interval '1 month') AT TIME ZONE 'UTC';
  parent text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('actcore.ensure_month', 0));
  FOREACH parent IN ARRAY ARRAY['runs', 'assessments', 'errors', 'results'] LOOP
    EXECUTE format(
      'CREATE TABLE IF NOT EXISTS actcore.%I PARTITION OF actcore.%I FOR VALUES FROM (%L) TO (%L)',
      parent || '_' || month_name, parent, lower_bound, upper_bound);
  END LOOP;
END
$$;

-- The months that are there already.
SELECT actcore.ensure_month(to_date(month_name, 'YYYY_MM')::timestamp AT TIME ZONE 'UTC')
FROM (SELECT substring(relname FROM '^runs_(\d{4}_\d{2})$') AS month_name
      FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'actcore.runs'::regclass) AS months
WHERE month_name IS NOT NULL;
