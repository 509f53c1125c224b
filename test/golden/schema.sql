CREATE TABLE actcore.assessments (
  run_id uuid NOT NULL,
  scheduled_at timestamp with time zone NOT NULL,
  ordinal integer NOT NULL,
  target text NOT NULL,
  rule text NOT NULL,
  message text NOT NULL,
  CONSTRAINT assessments_pkey PRIMARY KEY (run_id, scheduled_at, ordinal)) PARTITION BY RANGE (scheduled_at);

CREATE TABLE actcore.migrations (
  name text NOT NULL,
  applied_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT migrations_pkey PRIMARY KEY (name));

CREATE TABLE actcore.runs (
  id uuid NOT NULL,
  scheduled_at timestamp with time zone NOT NULL,
  definition_id text NOT NULL,
  definition_uuid uuid NOT NULL,
  kind text NOT NULL,
  source text NOT NULL,
  trigger text NOT NULL,
  actor text NOT NULL,
  revision text NOT NULL,
  contract_hash text NOT NULL,
  workflow_id text NOT NULL,
  workflow_run_id text NOT NULL,
  standing smallint NOT NULL,
  outcome text,
  assessment text NOT NULL,
  assessment_failure_count integer NOT NULL,
  exit_code smallint,
  reason text NOT NULL,
  attempt integer NOT NULL,
  started_at timestamp with time zone NOT NULL,
  finished_at timestamp with time zone,
  response_status integer,
  response json,
  recorded_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT runs_assessment_check CHECK ((assessment = ANY (ARRAY['passed'::text, 'failed'::text, 'none'::text]))),
  CONSTRAINT runs_assessment_failure_count_check CHECK ((assessment_failure_count >= 0)),
  CONSTRAINT runs_check CHECK (((standing = 0) = (outcome IS NULL))),
  CONSTRAINT runs_check1 CHECK (((outcome IS NULL) = (finished_at IS NULL))),
  CONSTRAINT runs_check2 CHECK (((outcome IS NULL) = (exit_code IS NULL))),
  CONSTRAINT runs_outcome_check CHECK ((outcome = ANY (ARRAY['completed'::text, 'lock_skipped'::text, 'overlap_skipped'::text, 'misfire_skipped'::text, 'paused'::text, 'missed'::text, 'timed_out'::text, 'cancelled'::text, 'automation_error'::text]))),
  CONSTRAINT runs_pkey PRIMARY KEY (id, scheduled_at),
  CONSTRAINT runs_standing_check CHECK ((standing = ANY (ARRAY[0, 1, 2]))),
  CONSTRAINT runs_trigger_check CHECK ((trigger = ANY (ARRAY['schedule'::text, 'manual'::text, 'canary'::text, 'backfill'::text, 'notify'::text, 'external'::text])))) PARTITION BY RANGE (scheduled_at);

CREATE INDEX runs_definition ON ONLY actcore.runs USING btree (definition_id, scheduled_at DESC);

CREATE INDEX runs_scheduled ON ONLY actcore.runs USING btree (scheduled_at DESC);

CREATE OR REPLACE FUNCTION actcore.ensure_month(moment timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION actcore.replace_assessments(of_run uuid, tick timestamp with time zone, targets text[], rules text[], messages text[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  DELETE FROM actcore.assessments WHERE run_id = of_run AND scheduled_at = tick;
  INSERT INTO actcore.assessments (run_id, scheduled_at, ordinal, target, rule, message)
  SELECT of_run, tick, failure.ordinal, failure.target, failure.rule, failure.message
  FROM unnest(targets, rules, messages) WITH ORDINALITY AS failure (target, rule, message, ordinal);
END
$function$
;
