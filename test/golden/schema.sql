CREATE TABLE actcore.assessments (
  run_id uuid NOT NULL,
  scheduled_at timestamp with time zone NOT NULL,
  ordinal integer NOT NULL,
  target text NOT NULL,
  rule text NOT NULL,
  message text NOT NULL,
  CONSTRAINT assessments_pkey PRIMARY KEY (run_id, scheduled_at, ordinal)) PARTITION BY RANGE (scheduled_at);

CREATE TABLE actcore.definitions (
  uuid uuid NOT NULL,
  id text NOT NULL,
  enabled boolean NOT NULL,
  revision text NOT NULL,
  applied_at timestamp with time zone NOT NULL DEFAULT now(),
  retired_at timestamp with time zone,
  retired_by text,
  retired_reason text,
  CONSTRAINT definitions_check CHECK (((retired_at IS NULL) = (retired_by IS NULL))),
  CONSTRAINT definitions_check1 CHECK (((retired_at IS NULL) = (retired_reason IS NULL))),
  CONSTRAINT definitions_pkey PRIMARY KEY (uuid));

CREATE TABLE actcore.errors (
  run_id uuid NOT NULL,
  scheduled_at timestamp with time zone NOT NULL,
  ordinal integer NOT NULL,
  definition_id text NOT NULL,
  target text,
  attempt integer NOT NULL,
  at timestamp with time zone NOT NULL,
  error text NOT NULL,
  rescued boolean NOT NULL,
  operation text,
  CONSTRAINT errors_pkey PRIMARY KEY (run_id, scheduled_at, ordinal)) PARTITION BY RANGE (scheduled_at);

CREATE TABLE actcore.journal (
  event_id bigint NOT NULL,
  at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  entity_type text NOT NULL,
  entity_id text NOT NULL,
  field text NOT NULL,
  action text NOT NULL,
  old_value json,
  new_value json,
  actor text NOT NULL,
  source text NOT NULL,
  workspace text NOT NULL,
  CONSTRAINT journal_action_check CHECK ((action = ANY (ARRAY['insert'::text, 'update'::text, 'delete'::text, 'ingest'::text]))),
  CONSTRAINT journal_pkey PRIMARY KEY (event_id));

CREATE TABLE actcore.migrations (
  name text NOT NULL,
  applied_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT migrations_pkey PRIMARY KEY (name));

CREATE TABLE actcore.results (
  run_id uuid NOT NULL,
  scheduled_at timestamp with time zone NOT NULL,
  ordinal integer NOT NULL,
  target text NOT NULL,
  outcome text NOT NULL,
  assessment text NOT NULL,
  assessment_failure_count integer NOT NULL,
  reason text NOT NULL,
  status integer,
  attempt integer NOT NULL,
  idempotency_key text,
  started_at timestamp with time zone,
  finished_at timestamp with time zone,
  recorded_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT results_assessment_check CHECK ((assessment = ANY (ARRAY['passed'::text, 'failed'::text, 'none'::text]))),
  CONSTRAINT results_assessment_failure_count_check CHECK ((assessment_failure_count >= 0)),
  CONSTRAINT results_outcome_check CHECK ((outcome = ANY (ARRAY['completed'::text, 'automation_error'::text, 'lock_skipped'::text, 'timed_out'::text, 'not_reached'::text]))),
  CONSTRAINT results_pkey PRIMARY KEY (run_id, scheduled_at, ordinal)) PARTITION BY RANGE (scheduled_at);

CREATE TABLE actcore.revisions (
  definition_uuid uuid NOT NULL,
  revision text NOT NULL,
  contract_hash text NOT NULL,
  parent text,
  file text NOT NULL,
  text text NOT NULL,
  content json NOT NULL,
  applied_count integer NOT NULL DEFAULT 0,
  kept_at timestamp with time zone NOT NULL DEFAULT now(),
  first_applied_at timestamp with time zone,
  last_applied_at timestamp with time zone,
  actor text NOT NULL,
  CONSTRAINT revisions_applied_count_check CHECK ((applied_count >= 0)),
  CONSTRAINT revisions_check CHECK (((applied_count = 0) = (first_applied_at IS NULL))),
  CONSTRAINT revisions_check1 CHECK (((first_applied_at IS NULL) = (last_applied_at IS NULL))),
  CONSTRAINT revisions_pkey PRIMARY KEY (definition_uuid, revision));

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
  stages jsonb,
  targets jsonb,
  too_short boolean NOT NULL DEFAULT false,
  details_dropped integer NOT NULL DEFAULT 0,
  replaced smallint,
  CONSTRAINT runs_assessment_check CHECK ((assessment = ANY (ARRAY['passed'::text, 'failed'::text, 'none'::text]))),
  CONSTRAINT runs_assessment_failure_count_check CHECK ((assessment_failure_count >= 0)),
  CONSTRAINT runs_check CHECK (((standing = 0) = (outcome IS NULL))),
  CONSTRAINT runs_check1 CHECK (((outcome IS NULL) = (finished_at IS NULL))),
  CONSTRAINT runs_check2 CHECK (((outcome IS NULL) = (exit_code IS NULL))),
  CONSTRAINT runs_outcome_check CHECK ((outcome = ANY (ARRAY['completed'::text, 'lock_skipped'::text, 'overlap_skipped'::text, 'misfire_skipped'::text, 'paused'::text, 'missed'::text, 'timed_out'::text, 'cancelled'::text, 'automation_error'::text]))),
  CONSTRAINT runs_pkey PRIMARY KEY (id, scheduled_at),
  CONSTRAINT runs_standing_check CHECK ((standing = ANY (ARRAY[0, 1, 2]))),
  CONSTRAINT runs_trigger_check CHECK ((trigger = ANY (ARRAY['schedule'::text, 'manual'::text, 'canary'::text, 'backfill'::text, 'notify'::text, 'external'::text])))) PARTITION BY RANGE (scheduled_at);

CREATE INDEX definitions_id ON actcore.definitions USING btree (id, applied_at DESC);

CREATE INDEX errors_definition ON ONLY actcore.errors USING btree (definition_id, scheduled_at DESC);

CREATE INDEX errors_scheduled ON ONLY actcore.errors USING btree (scheduled_at DESC);

CREATE INDEX errors_target ON ONLY actcore.errors USING btree (target, scheduled_at DESC) WHERE (target IS NOT NULL);

CREATE INDEX journal_at ON actcore.journal USING btree (at);

CREATE INDEX journal_entity ON actcore.journal USING btree (entity_id, event_id DESC);

CREATE INDEX results_failed ON ONLY actcore.results USING btree (scheduled_at DESC) WHERE (outcome = ANY (ARRAY['automation_error'::text, 'timed_out'::text]));

CREATE INDEX runs_canary ON ONLY actcore.runs USING btree (contract_hash) WHERE ((trigger = 'canary'::text) AND (outcome = 'completed'::text));

CREATE INDEX runs_definition ON ONLY actcore.runs USING btree (definition_id, scheduled_at DESC);

CREATE INDEX runs_failed ON ONLY actcore.runs USING btree (scheduled_at DESC) WHERE (outcome = ANY (ARRAY['automation_error'::text, 'timed_out'::text]));

CREATE INDEX runs_scheduled ON ONLY actcore.runs USING btree (scheduled_at DESC);

CREATE OR REPLACE FUNCTION actcore.ensure_month(moment timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
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
$function$
;

CREATE OR REPLACE FUNCTION actcore.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION 'actcore.% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
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

CREATE OR REPLACE FUNCTION actcore.replace_errors(of_run uuid, tick timestamp with time zone, of_definition text, attempts json)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
BEGIN
  DELETE FROM actcore.errors WHERE run_id = of_run AND scheduled_at = tick;
  INSERT INTO actcore.errors (run_id, scheduled_at, ordinal, definition_id, target, attempt, at, operation, error, rescued)
  SELECT of_run, tick, failed.ordinal, of_definition, failed.target, failed.attempt, failed.at, failed.operation,
    failed.error, failed.rescued
  FROM ROWS FROM (json_to_recordset(attempts)
      AS (target text, attempt integer, at timestamptz, operation text, error text, rescued boolean))
    WITH ORDINALITY AS failed (target, attempt, at, operation, error, rescued, ordinal);
END
$function$
;

CREATE TRIGGER journal_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON actcore.journal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE SEQUENCE actcore.journal_event_id_seq;
