-- One row for every tick and every firing by hand, and what each run found wrong in the data.
-- Both tables are partitioned by the month (UTC) of scheduled_at, so that age is dropped by the month.

CREATE TABLE actcore.runs (
  id uuid NOT NULL,
  scheduled_at timestamptz NOT NULL,
  definition_id text NOT NULL,
  definition_uuid uuid NOT NULL,
  kind text NOT NULL,
  source text NOT NULL,
  trigger text NOT NULL
    CHECK (trigger IN ('schedule', 'manual', 'canary', 'backfill', 'notify', 'external')),
  actor text NOT NULL,
  revision text NOT NULL,
  contract_hash text NOT NULL,
  workflow_id text NOT NULL,
  workflow_run_id text NOT NULL,
  -- 0 running, 1 ended as inferred from outside, 2 ended as witnessed by the run itself: it only ever rises.
  standing smallint NOT NULL CHECK (standing IN (0, 1, 2)),
  outcome text
    CHECK (outcome IN ('completed', 'lock_skipped', 'overlap_skipped', 'misfire_skipped', 'paused', 'missed',
                       'timed_out', 'cancelled', 'automation_error')),
  assessment text NOT NULL CHECK (assessment IN ('passed', 'failed', 'none')),
  assessment_failure_count integer NOT NULL CHECK (assessment_failure_count >= 0),
  exit_code smallint,
  reason text NOT NULL,
  attempt integer NOT NULL,
  started_at timestamptz NOT NULL,
  finished_at timestamptz,
  response_status integer,
  -- Kept as the text it came as: numbers stay exact to the last digit, however large.
  response json,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (id, scheduled_at),
  CHECK ((standing = 0) = (outcome IS NULL)),
  CHECK ((outcome IS NULL) = (finished_at IS NULL)),
  CHECK ((outcome IS NULL) = (exit_code IS NULL))
) PARTITION BY RANGE (scheduled_at);

CREATE INDEX runs_definition ON actcore.runs (definition_id, scheduled_at DESC);
CREATE INDEX runs_scheduled ON actcore.runs (scheduled_at DESC);

CREATE TABLE actcore.assessments (
  run_id uuid NOT NULL,
  scheduled_at timestamptz NOT NULL,
  ordinal integer NOT NULL,
  target text NOT NULL,
  rule text NOT NULL,
  message text NOT NULL,
  PRIMARY KEY (run_id, scheduled_at, ordinal)
) PARTITION BY RANGE (scheduled_at);

-- Writes what a run found wrong, in place of what an earlier report of the same run said. Called by whoever has just
-- written the run's row and so holds its lock: its statements see all that earlier holders have committed.
CREATE FUNCTION actcore.replace_assessments(
  of_run uuid, tick timestamptz, targets text[], rules text[], messages text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM actcore.assessments WHERE run_id = of_run AND scheduled_at = tick;
  INSERT INTO actcore.assessments (run_id, scheduled_at, ordinal, target, rule, message)
  SELECT of_run, tick, failure.ordinal, failure.target, failure.rule, failure.message
  FROM unnest(targets, rules, messages) WITH ORDINALITY AS failure (target, rule, message, ordinal);
END
$$;

-- Makes the partitions that hold `moment`. Safe to call at any time, by any number of sessions at once.
CREATE FUNCTION actcore.ensure_month(moment timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  first_day timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
  month_name text := to_char(first_day, 'YYYY_MM');
  lower_bound timestamptz := first_day AT TIME ZONE 'UTC';
  upper_bound timestamptz := (first_day + interval '1 month') AT TIME ZONE 'UTC';
  parent text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('actcore.ensure_month', 0));
  FOREACH parent IN ARRAY ARRAY['runs', 'assessments'] LOOP
    EXECUTE format(
      'CREATE TABLE IF NOT EXISTS actcore.%I PARTITION OF actcore.%I FOR VALUES FROM (%L) TO (%L)',
      parent || '_' || month_name, parent, lower_bound, upper_bound);
  END LOOP;
END
$$;

SELECT actcore.ensure_month(now()), actcore.ensure_month(now() + interval '1 month');
