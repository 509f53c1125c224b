CREATE TABLE actcore.action_batches (
  id uuid NOT NULL,
  definition_uuid uuid NOT NULL,
  definition_id text NOT NULL,
  run_id uuid NOT NULL,
  scheduled_at timestamp with time zone NOT NULL,
  trigger text NOT NULL,
  system_identifier text NOT NULL,
  xid text,
  fate text NOT NULL DEFAULT 'pending'::text,
  prepared_at timestamp with time zone NOT NULL DEFAULT now(),
  settled_at timestamp with time zone,
  CONSTRAINT action_batches_check CHECK (((fate = 'pending'::text) = (settled_at IS NULL))),
  CONSTRAINT action_batches_fate_check CHECK ((fate = ANY (ARRAY['pending'::text, 'committed'::text, 'aborted'::text]))),
  CONSTRAINT action_batches_pkey PRIMARY KEY (id));

CREATE TABLE actcore.actions (
  id uuid NOT NULL,
  batch_id uuid NOT NULL,
  run_id uuid NOT NULL,
  scheduled_at timestamp with time zone NOT NULL,
  definition_uuid uuid NOT NULL,
  definition_id text NOT NULL,
  check_name text NOT NULL,
  finding_key text NOT NULL,
  action text NOT NULL,
  mode text NOT NULL,
  outcome text NOT NULL,
  before json,
  after json,
  decision json NOT NULL,
  error text,
  at timestamp with time zone NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT actions_mode_check CHECK ((mode = ANY (ARRAY['auto'::text, 'dry_run'::text, 'sim'::text, 'block'::text]))),
  CONSTRAINT actions_outcome_check CHECK ((outcome = ANY (ARRAY['cured'::text, 'sent'::text, 'simulated'::text, 'proposed'::text, 'not_cured'::text, 'failed'::text]))),
  CONSTRAINT actions_pkey PRIMARY KEY (id));

CREATE TABLE actcore.assessments (
  run_id uuid NOT NULL,
  scheduled_at timestamp with time zone NOT NULL,
  ordinal integer NOT NULL,
  target text NOT NULL,
  rule text NOT NULL,
  message text NOT NULL,
  CONSTRAINT assessments_pkey PRIMARY KEY (run_id, scheduled_at, ordinal)) PARTITION BY RANGE (scheduled_at);

CREATE TABLE actcore.checks (
  run_id uuid NOT NULL,
  scheduled_at timestamp with time zone NOT NULL,
  check_name text NOT NULL,
  ordinal integer NOT NULL,
  definition_uuid uuid NOT NULL,
  definition_id text NOT NULL,
  trigger text NOT NULL,
  mode text NOT NULL,
  contract_hash text NOT NULL,
  findings integer NOT NULL,
  has_more boolean NOT NULL,
  cured integer NOT NULL,
  sent integer NOT NULL,
  simulated integer NOT NULL,
  proposed integer NOT NULL,
  failed integer NOT NULL,
  left_alone integer NOT NULL,
  took_ms double precision NOT NULL,
  error text,
  observed boolean NOT NULL,
  recorded_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT checks_mode_check CHECK ((mode = ANY (ARRAY['auto'::text, 'dry_run'::text, 'sim'::text, 'block'::text]))),
  CONSTRAINT checks_pkey PRIMARY KEY (run_id, scheduled_at, check_name)) PARTITION BY RANGE (scheduled_at);

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

CREATE TABLE actcore.findings (
  id bigint NOT NULL,
  definition_uuid uuid NOT NULL,
  definition_id text NOT NULL,
  check_name text NOT NULL,
  key text NOT NULL,
  state text NOT NULL,
  contract_hash text NOT NULL,
  mode text NOT NULL,
  looked_contract text,
  looked_at timestamp with time zone,
  detected json NOT NULL,
  opened_at timestamp with time zone NOT NULL DEFAULT now(),
  opened_run uuid NOT NULL,
  last_seen_at timestamp with time zone NOT NULL DEFAULT now(),
  last_seen_run uuid NOT NULL,
  seen_runs integer NOT NULL DEFAULT 1,
  failed_runs integer NOT NULL,
  last_outcome text,
  last_error text,
  quarantined_at timestamp with time zone,
  quarantined_run uuid,
  resolved_at timestamp with time zone,
  resolved_run uuid,
  resolution text,
  CONSTRAINT findings_check CHECK (((state = 'quarantined'::text) = (quarantined_at IS NOT NULL))),
  CONSTRAINT findings_check1 CHECK (((quarantined_at IS NULL) = (quarantined_run IS NULL))),
  CONSTRAINT findings_check2 CHECK (((state = 'resolved'::text) = (resolved_at IS NOT NULL))),
  CONSTRAINT findings_check3 CHECK (((resolved_at IS NULL) = (resolved_run IS NULL))),
  CONSTRAINT findings_check4 CHECK (((resolved_at IS NULL) = (resolution IS NULL))),
  CONSTRAINT findings_check5 CHECK (((looked_at IS NULL) = (looked_contract IS NULL))),
  CONSTRAINT findings_mode_check CHECK ((mode = ANY (ARRAY['auto'::text, 'dry_run'::text, 'sim'::text, 'block'::text]))),
  CONSTRAINT findings_pkey PRIMARY KEY (id),
  CONSTRAINT findings_resolution_check CHECK ((resolution = ANY (ARRAY['cured'::text, 'vanished'::text, 'unwatched'::text]))),
  CONSTRAINT findings_state_check CHECK ((state = ANY (ARRAY['open'::text, 'quarantined'::text, 'resolved'::text]))));

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

CREATE TABLE actcore.retired_sources (
  definition_uuid uuid NOT NULL,
  source text NOT NULL,
  retired_at timestamp with time zone NOT NULL DEFAULT now(),
  retired_by text NOT NULL,
  successor text NOT NULL,
  evidence json NOT NULL,
  reverted_at timestamp with time zone,
  reverted_by text,
  CONSTRAINT retired_sources_check CHECK (((reverted_at IS NULL) = (reverted_by IS NULL))),
  CONSTRAINT retired_sources_pkey PRIMARY KEY (definition_uuid, source, retired_at));

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

CREATE TABLE actcore.rolled_days (
  day date NOT NULL,
  rolled_at timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT rolled_days_pkey PRIMARY KEY (day));

CREATE TABLE actcore.run_days (
  day date NOT NULL,
  definition_id text NOT NULL,
  source text NOT NULL,
  outcome text NOT NULL,
  runs bigint NOT NULL,
  failures bigint NOT NULL,
  p50_ms double precision,
  p95_ms double precision,
  sealed boolean NOT NULL DEFAULT false,
  CONSTRAINT run_days_pkey PRIMARY KEY (day, definition_id, source, outcome));

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
  dry_run boolean NOT NULL DEFAULT false,
  replaced smallint,
  flags text[] NOT NULL DEFAULT '{}'::text[],
  CONSTRAINT runs_assessment_check CHECK ((assessment = ANY (ARRAY['passed'::text, 'failed'::text, 'none'::text]))),
  CONSTRAINT runs_assessment_failure_count_check CHECK ((assessment_failure_count >= 0)),
  CONSTRAINT runs_check CHECK (((standing = 0) = (outcome IS NULL))),
  CONSTRAINT runs_check1 CHECK (((outcome IS NULL) = (finished_at IS NULL))),
  CONSTRAINT runs_check2 CHECK (((outcome IS NULL) = (exit_code IS NULL))),
  CONSTRAINT runs_outcome_check CHECK ((outcome = ANY (ARRAY['completed'::text, 'lock_skipped'::text, 'overlap_skipped'::text, 'misfire_skipped'::text, 'paused'::text, 'missed'::text, 'timed_out'::text, 'cancelled'::text, 'automation_error'::text]))),
  CONSTRAINT runs_pkey PRIMARY KEY (id, scheduled_at),
  CONSTRAINT runs_standing_check CHECK (((standing >= '-1'::integer) AND (standing <= 2))) NOT VALID,
  CONSTRAINT runs_trigger_check CHECK ((trigger = ANY (ARRAY['schedule'::text, 'manual'::text, 'canary'::text, 'backfill'::text, 'notify'::text, 'external'::text])))) PARTITION BY RANGE (scheduled_at);

CREATE TABLE actcore.schedule_states (
  definition_uuid uuid NOT NULL,
  first_seen timestamp with time zone NOT NULL,
  last_seen timestamp with time zone NOT NULL,
  schedule_id text NOT NULL,
  since timestamp with time zone NOT NULL,
  revision text NOT NULL,
  enabled boolean NOT NULL,
  cadence jsonb NOT NULL,
  paused boolean NOT NULL,
  note text,
  missed_catchup bigint NOT NULL,
  skipped_overlap bigint NOT NULL,
  CONSTRAINT schedule_states_pkey PRIMARY KEY (definition_uuid, first_seen));

CREATE INDEX action_batches_prepared ON actcore.action_batches USING btree (definition_uuid, prepared_at);

CREATE INDEX action_batches_unsettled ON actcore.action_batches USING btree (definition_uuid, prepared_at) WHERE (fate = 'pending'::text);

CREATE INDEX actions_key ON actcore.actions USING btree (definition_uuid, check_name, md5(finding_key), at DESC);

CREATE INDEX actions_run ON actcore.actions USING btree (run_id, batch_id);

CREATE INDEX checks_check ON ONLY actcore.checks USING btree (definition_uuid, check_name, scheduled_at DESC);

CREATE INDEX checks_evidence ON ONLY actcore.checks USING btree (contract_hash, definition_uuid) WHERE ((mode = ANY (ARRAY['dry_run'::text, 'sim'::text])) AND (error IS NULL));

CREATE INDEX definitions_id ON actcore.definitions USING btree (id, applied_at DESC);

CREATE INDEX errors_definition ON ONLY actcore.errors USING btree (definition_id, scheduled_at DESC);

CREATE INDEX errors_scheduled ON ONLY actcore.errors USING btree (scheduled_at DESC);

CREATE INDEX errors_target ON ONLY actcore.errors USING btree (target, scheduled_at DESC) WHERE (target IS NOT NULL);

CREATE INDEX findings_definition ON actcore.findings USING btree (definition_id, opened_at DESC);

CREATE INDEX findings_key ON actcore.findings USING btree (definition_uuid, check_name, md5(key), opened_at);

CREATE UNIQUE INDEX findings_open ON actcore.findings USING btree (definition_uuid, check_name, md5(key)) WHERE (state <> 'resolved'::text);

CREATE INDEX findings_opened ON actcore.findings USING btree (opened_at DESC);

CREATE INDEX findings_quarantined ON actcore.findings USING btree (definition_id) WHERE (state = 'quarantined'::text);

CREATE INDEX journal_at ON actcore.journal USING btree (at);

CREATE INDEX journal_entity ON actcore.journal USING btree (entity_id, event_id DESC);

CREATE INDEX journal_finding ON actcore.journal USING btree (split_part(entity_id, '/'::text, 1), event_id DESC) WHERE (entity_type = 'finding'::text);

CREATE INDEX results_failed ON ONLY actcore.results USING btree (scheduled_at DESC) WHERE (outcome = ANY (ARRAY['automation_error'::text, 'timed_out'::text]));

CREATE UNIQUE INDEX retired_sources_open ON actcore.retired_sources USING btree (definition_uuid, source) WHERE (reverted_at IS NULL);

CREATE INDEX run_days_definition ON actcore.run_days USING btree (definition_id, day DESC);

CREATE INDEX runs_canary ON ONLY actcore.runs USING btree (contract_hash) WHERE ((trigger = 'canary'::text) AND (outcome = 'completed'::text));

CREATE INDEX runs_definition ON ONLY actcore.runs USING btree (definition_id, scheduled_at DESC);

CREATE INDEX runs_failed ON ONLY actcore.runs USING btree (scheduled_at DESC) WHERE (outcome = ANY (ARRAY['automation_error'::text, 'timed_out'::text]));

CREATE INDEX runs_open ON ONLY actcore.runs USING btree (scheduled_at DESC) WHERE (outcome IS NULL);

CREATE INDEX runs_scheduled ON ONLY actcore.runs USING btree (scheduled_at DESC);

CREATE OR REPLACE FUNCTION actcore.begin_of(day date)
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
AS $function$ SELECT day::timestamp AT TIME ZONE 'UTC' $function$
;

CREATE OR REPLACE FUNCTION actcore.count_days(days date[])
 RETURNS SETOF run_days
 LANGUAGE sql
 STABLE
AS $function$
  SELECT day, runs.definition_id, runs.source, coalesce(runs.outcome, 'running'), count(*),
    count(*) FILTER (WHERE assessment = 'failed'),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000)::float8,
    percentile_disc(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000)::float8, false
  FROM unnest(days) AS day, LATERAL (
    SELECT * FROM actcore.runs
    WHERE scheduled_at >= actcore.begin_of(day) AND scheduled_at < actcore.begin_of(day + 1)) AS runs
  GROUP BY 1, 2, 3, 4
$function$
;

CREATE OR REPLACE FUNCTION actcore.drop_month(month date)
 RETURNS TABLE(runs numeric, tables text[], size_bytes numeric)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
DECLARE
  days date[] := ARRAY(
    SELECT drop_month.month + place FROM generate_series(0, actcore.next_month(drop_month.month) - drop_month.month - 1) AS place);
  partitions regclass[] := ARRAY(
    SELECT partition FROM actcore.list_partitions(drop_month.month) WHERE partition IS NOT NULL);
  counted_days actcore.run_days[];
  one regclass;
BEGIN
  IF drop_month.month <> date_trunc('month', drop_month.month::timestamp)::date
    OR actcore.next_month(drop_month.month) > actcore.today() - 8 THEN
    RAISE EXCEPTION 'the month of % is too young to be dropped', drop_month.month USING ERRCODE = 'restrict_violation';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('actcore.run_days', 0)),
    pg_advisory_xact_lock(hashtextextended('actcore.ensure_month', 0));
  -- Writers of this month wait, so that what is counted is what goes.
  EXECUTE format('LOCK TABLE actcore.%I IN SHARE MODE', 'runs_' || to_char(drop_month.month, 'YYYY_MM'));
  DELETE FROM actcore.run_days WHERE day = ANY (days) AND NOT sealed;
  SELECT coalesce(sum(counted.runs), 0), coalesce(array_agg(counted), '{}') INTO runs, counted_days
  FROM actcore.count_days(days) AS counted;
  PERFORM actcore.seal_days(counted_days);
  INSERT INTO actcore.rolled_days (day) SELECT unnest(days) ON CONFLICT DO NOTHING;
  SELECT array_agg(given::text), sum(pg_total_relation_size(given)) INTO tables, size_bytes FROM unnest(partitions) AS given;
  FOREACH one IN ARRAY partitions LOOP
    EXECUTE format('DROP TABLE %s', one);
  END LOOP;
  RETURN NEXT;
END
$function$
;

CREATE OR REPLACE FUNCTION actcore.drop_surplus(month date, keep_months integer, most_rows bigint)
 RETURNS TABLE(runs bigint, definitions bigint)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
DECLARE
  lower_bound timestamptz := actcore.begin_of(drop_surplus.month);
  names text[];
  bounds timestamptz[];
  gone uuid[];
  parent name;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('actcore.run_days', 0));
  SELECT array_agg(definition_id), array_agg(until) INTO names, bounds
  FROM actcore.list_leaving(drop_surplus.month, keep_months, most_rows) AS leaving;
  DELETE FROM actcore.run_days AS known USING unnest(names, bounds) AS leaving (definition_id, until)
  WHERE known.definition_id = leaving.definition_id AND NOT sealed
    AND day >= drop_surplus.month AND actcore.begin_of(day) < until;
  WITH deleted AS (
    DELETE FROM actcore.runs USING unnest(names, bounds) AS leaving (definition_id, until)
    WHERE runs.definition_id = leaving.definition_id AND scheduled_at >= lower_bound AND scheduled_at < until
    RETURNING runs.*),
  counted AS (
    SELECT ROW((scheduled_at AT TIME ZONE 'UTC')::date, definition_id, source, coalesce(outcome, 'running'), count(*),
      count(*) FILTER (WHERE assessment = 'failed'),
      percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000)::float8,
      percentile_disc(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000)::float8,
      false)::actcore.run_days AS of_day
    FROM deleted
    GROUP BY (scheduled_at AT TIME ZONE 'UTC')::date, definition_id, source, coalesce(outcome, 'running')),
  sealed AS MATERIALIZED (SELECT actcore.seal_days(array_agg(of_day)) FROM counted)
  SELECT array_agg(id) INTO gone FROM deleted, sealed;
  FOR parent IN
    SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'run_id'
    WHERE relnamespace = 'actcore'::regnamespace AND relkind = 'p' ORDER BY relname
  LOOP
    EXECUTE format('DELETE FROM actcore.%I WHERE scheduled_at >= $1 AND scheduled_at < $2 AND run_id = ANY ($3)', parent)
    USING lower_bound, actcore.begin_of(actcore.next_month(drop_surplus.month)), gone;
  END LOOP;
  RETURN QUERY SELECT coalesce(cardinality(gone), 0)::bigint, coalesce(cardinality(names), 0)::bigint;
END
$function$
;

CREATE OR REPLACE FUNCTION actcore.ensure_known_months()
 RETURNS void
 LANGUAGE sql
AS $function$
  SELECT actcore.ensure_month(to_date(month_name, 'YYYY_MM')::timestamp AT TIME ZONE 'UTC')
  FROM (SELECT substring(relname FROM '^runs_(\d{4}_\d{2})$') AS month_name
        FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'actcore.runs'::regclass) AS months
  WHERE month_name IS NOT NULL
$function$
;

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

CREATE OR REPLACE FUNCTION actcore.is_held(month date, keep_months integer, most_rows bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  SELECT EXISTS (
    SELECT FROM actcore.list_keeps(keep_months, most_rows) AS keeps
    WHERE keep_from < least(actcore.month_at(-keep_months), actcore.next_month(month)) AND EXISTS (
      SELECT FROM actcore.runs WHERE runs.definition_id = keeps.definition_id
        AND scheduled_at >= actcore.begin_of(greatest(keep_from, month))
        AND scheduled_at < actcore.begin_of(actcore.next_month(month))))
$function$
;

CREATE OR REPLACE FUNCTION actcore.is_proposed(of_definition uuid, of_check text, of_key text, by_id uuid, what text, decided text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $function$
  SELECT EXISTS (
    SELECT FROM actcore.actions
    WHERE definition_uuid = of_definition AND check_name = of_check AND md5(finding_key) = md5(of_key)
      AND finding_key = of_key AND outcome = 'proposed' AND id <> by_id AND action = what
      AND (decision ->> 'parameters') IS NOT DISTINCT FROM (decided::json ->> 'parameters')
      AND recorded_at > coalesce((
        SELECT max(resolved_at) FROM actcore.findings
        WHERE definition_uuid = of_definition AND check_name = of_check AND md5(key) = md5(of_key) AND key = of_key),
        '-infinity'))
$function$
;

CREATE OR REPLACE FUNCTION actcore.keep_checks(of_definition uuid, definition_name text, of_run uuid, tick timestamp with time zone, fired_by text, reports json, told boolean)
 RETURNS SETOF text
 LANGUAGE sql
AS $function$
  INSERT INTO actcore.checks AS known (
    run_id, scheduled_at, check_name, ordinal, definition_uuid, definition_id, trigger, mode, contract_hash, findings,
    has_more, cured, sent, simulated, proposed, failed, left_alone, took_ms, error, observed)
  SELECT of_run, tick, name, place - 1, of_definition, definition_name, fired_by, mode, "contractHash", findings,
    "hasMore", cured, sent, simulated, proposed, failed, "left", "tookMs", error, told
  FROM ROWS FROM (json_to_recordset(reports) AS (name text, mode text, "contractHash" text, findings integer,
    "hasMore" boolean, cured integer, sent integer, simulated integer, proposed integer, failed integer, "left" integer,
    "tookMs" double precision, error text))
    WITH ORDINALITY AS given (name, mode, "contractHash", findings, "hasMore", cured, sent, simulated, proposed, failed,
      "left", "tookMs", error, place)
  ON CONFLICT (run_id, scheduled_at, check_name) DO UPDATE SET observed = true
    WHERE excluded.observed AND NOT known.observed
  RETURNING check_name
$function$
;

CREATE OR REPLACE FUNCTION actcore.list_due_days(month date, settle_days integer)
 RETURNS SETOF date
 LANGUAGE sql
 STABLE
AS $function$
  SELECT month + place
  FROM generate_series(0, least(actcore.next_month(month), actcore.today() - settle_days) - month - 1) AS place
  WHERE NOT EXISTS (SELECT FROM actcore.rolled_days WHERE day = month + place)
$function$
;

CREATE OR REPLACE FUNCTION actcore.list_keeps(keep_months integer, most_rows bigint)
 RETURNS TABLE(definition_id text, keep_from date)
 LANGUAGE sql
 STABLE
AS $function$
  WITH stated AS (
    SELECT known.uuid, content ->> 'id' AS id, rtrim(content #>> '{retention,runs}', 'd')::integer AS days,
      coalesce((content #>> '{retention,count}')::bigint, most_rows) AS most
    FROM actcore.definitions AS known
    JOIN actcore.revisions AS applied ON applied.definition_uuid = known.uuid AND applied.revision = known.revision),
  named AS (
    SELECT coalesce(past.content ->> 'id', stated.id) AS name, max(days) AS days, max(most) AS most
    FROM stated JOIN actcore.revisions AS past ON past.definition_uuid = stated.uuid GROUP BY 1)
  SELECT name, least(actcore.today() - 8, greatest(
    coalesce(actcore.today() - days, actcore.month_at(-keep_months)),
    -- The newest so many rows, and the rest of the day on which they begin.
    (SELECT (scheduled_at AT TIME ZONE 'UTC')::date FROM actcore.runs WHERE runs.definition_id = name
     ORDER BY scheduled_at DESC OFFSET most - 1 LIMIT 1)))
  FROM named WHERE name IS NOT NULL
$function$
;

CREATE OR REPLACE FUNCTION actcore.list_leaving(only_month date, keep_months integer, most_rows bigint)
 RETURNS TABLE(month date, definition_id text, until timestamp with time zone)
 LANGUAGE sql
 STABLE
AS $function$
  WITH keeps AS MATERIALIZED (SELECT * FROM actcore.list_keeps(keep_months, most_rows)),
  months AS MATERIALIZED (
    SELECT known.month, actcore.next_month(known.month) AS next, known.month < actcore.month_at(-keep_months) AS is_old
    FROM actcore.list_months() AS known
    WHERE (only_month IS NULL OR known.month = only_month) AND (known.month >= actcore.month_at(-keep_months) OR EXISTS (
      SELECT FROM keeps WHERE keep_from < actcore.next_month(known.month) AND EXISTS (
        SELECT FROM actcore.runs WHERE runs.definition_id = keeps.definition_id
          AND scheduled_at >= actcore.begin_of(greatest(keep_from, known.month))
          AND scheduled_at < actcore.begin_of(actcore.next_month(known.month))))))
  SELECT months.month, definition_id, actcore.begin_of(least(keep_from, next)) FROM months, keeps
  WHERE keep_from > months.month AND EXISTS (
    SELECT FROM actcore.runs WHERE runs.definition_id = keeps.definition_id
      AND scheduled_at >= actcore.begin_of(months.month) AND scheduled_at < actcore.begin_of(least(keep_from, next)))
  UNION ALL
  SELECT months.month, others.definition_id, until FROM months,
    actcore.begin_of(least(actcore.today() - 8, next)) AS until, LATERAL (
    SELECT DISTINCT definition_id FROM actcore.runs
    WHERE scheduled_at >= actcore.begin_of(months.month) AND scheduled_at < until) AS others
  WHERE is_old AND NOT EXISTS (SELECT FROM keeps WHERE keeps.definition_id = others.definition_id)
$function$
;

CREATE OR REPLACE FUNCTION actcore.list_months()
 RETURNS TABLE(month date)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT to_date(substring(relname FROM '^runs_(\d{4}_\d{2})$'), 'YYYY_MM')
  FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
  WHERE inhparent = 'actcore.runs'::regclass AND relname ~ '^runs_\d{4}_\d{2}$'
  ORDER BY 1
$function$
;

CREATE OR REPLACE FUNCTION actcore.list_partitions(month date)
 RETURNS TABLE(parent name, partition regclass)
 LANGUAGE sql
 STABLE
AS $function$
  SELECT relname, to_regclass(format('actcore.%I', relname || '_' || to_char(month, 'YYYY_MM')))
  FROM pg_class WHERE relnamespace = 'actcore'::regnamespace AND relkind = 'p' ORDER BY oid
$function$
;

CREATE OR REPLACE FUNCTION actcore.lock_watch(of_definition uuid)
 RETURNS void
 LANGUAGE sql
AS $function$
  SELECT pg_advisory_xact_lock(hashtextextended('actcore.watch/' || of_definition, 0))
$function$
;

CREATE OR REPLACE FUNCTION actcore.month_at(distance integer)
 RETURNS date
 LANGUAGE sql
 STABLE
AS $function$
  SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => distance))::date
$function$
;

CREATE OR REPLACE FUNCTION actcore.name_actor(of_run uuid, tick timestamp with time zone, fired_by text)
 RETURNS text
 LANGUAGE sql
 STABLE
AS $function$
  SELECT coalesce((SELECT actor FROM actcore.runs WHERE id = of_run AND scheduled_at = tick), fired_by)
$function$
;

CREATE OR REPLACE FUNCTION actcore.name_finding(definition_name text, check_name text, key text)
 RETURNS text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  SELECT definition_name || '/' || check_name || '/' || CASE WHEN length(key) > 500 THEN left(key, 500) || '…' ELSE key END
$function$
;

CREATE OR REPLACE FUNCTION actcore.next_month(month date)
 RETURNS date
 LANGUAGE sql
 IMMUTABLE
AS $function$ SELECT (month + interval '1 month')::date $function$
;

CREATE OR REPLACE FUNCTION actcore.observe_findings(of_definition uuid, definition_name text, of_run uuid, tick timestamp with time zone, fired_by text, reports json, seen json)
 RETURNS TABLE(check_name text, key text)
 LANGUAGE plpgsql
AS $function$
#variable_conflict use_column
DECLARE
  overtaken text[];
  told text[];
BEGIN
  PERFORM actcore.lock_watch(of_definition);
  SELECT array_agg(report.name) INTO overtaken FROM json_to_recordset(reports) AS report (name text)
  WHERE EXISTS (
    SELECT FROM actcore.checks AS later WHERE later.definition_uuid = of_definition AND later.check_name = report.name
      AND later.scheduled_at > tick AND later.observed);
  SELECT array_agg(name) INTO told
  FROM actcore.keep_checks(of_definition, definition_name, of_run, tick, fired_by, reports, true) AS kept (name)
  WHERE name <> ALL (coalesce(overtaken, '{}'));

  WITH report AS MATERIALIZED (
    SELECT name, "contractHash" AS contract_hash, mode, "quarantineAfter" AS quarantine_after,
      "isComplete" AND mode <> 'block' AS is_complete
    FROM json_to_recordset(reports) AS given (
      name text, mode text, "contractHash" text, "quarantineAfter" integer, "isComplete" boolean)
    WHERE name = ANY (told)),
  given AS MATERIALIZED (
    SELECT DISTINCT ON (name, row.key) name, row.key, row.row::json AS detected, outcome, error, contract_hash,
      mode, CASE WHEN mode IN ('dry_run', 'sim') THEN contract_hash END AS looked_contract, quarantine_after,
      mode = 'auto' AND coalesce(outcome IN ('failed', 'not_cured'), false) AS has_failed,
      mode = 'auto' AND coalesce(outcome = 'sent', false) AS is_sent
    FROM report JOIN json_to_recordset(seen) AS row ("check" text, key text, row text, outcome text, error text)
      ON row."check" = name
    ORDER BY name, row.key),
  judged AS (
    SELECT given.*, finding.id, finding.state,
      -- A request that is made again has not cured the time before.
      coalesce(finding.failed_runs, 0)
        + (has_failed OR (is_sent AND coalesce(last_outcome = 'sent', false)))::integer AS failed_runs
    FROM given LEFT JOIN actcore.findings AS finding ON finding.definition_uuid = of_definition
      AND finding.check_name = name AND md5(finding.key) = md5(given.key) AND finding.key = given.key
      AND finding.state <> 'resolved'),
  ruled AS (
    SELECT judged.*, coalesce(outcome = 'cured', false) AS is_cured,
      coalesce(state = 'quarantined', false) OR (failed_runs > 0 AND failed_runs >= quarantine_after) AS is_quarantined
    FROM judged),
  kept AS (
    UPDATE actcore.findings AS finding SET
      state = CASE WHEN is_cured THEN 'resolved' WHEN is_quarantined THEN 'quarantined' ELSE 'open' END,
      contract_hash = ruled.contract_hash, mode = ruled.mode, detected = ruled.detected, failed_runs = ruled.failed_runs,
      looked_contract = coalesce(ruled.looked_contract, finding.looked_contract),
      looked_at = CASE WHEN ruled.looked_contract IS NULL THEN looked_at ELSE now() END,
      last_seen_at = now(), last_seen_run = of_run, seen_runs = seen_runs + 1,
      last_outcome = coalesce(outcome, last_outcome),
      last_error = CASE WHEN outcome IS NULL THEN last_error ELSE error END,
      quarantined_at = CASE WHEN is_cured OR NOT is_quarantined THEN NULL ELSE coalesce(quarantined_at, now()) END,
      quarantined_run = CASE WHEN is_cured OR NOT is_quarantined THEN NULL ELSE coalesce(quarantined_run, of_run) END,
      resolved_at = CASE WHEN is_cured THEN now() END, resolved_run = CASE WHEN is_cured THEN of_run END,
      resolution = CASE WHEN is_cured THEN 'cured' END
    FROM ruled WHERE finding.id = ruled.id),
  opened AS (
    INSERT INTO actcore.findings (
      definition_uuid, definition_id, check_name, key, state, contract_hash, mode, detected, opened_run, last_seen_run,
      looked_contract, looked_at, failed_runs, last_outcome, last_error, quarantined_at, quarantined_run, resolved_at,
      resolved_run, resolution)
    SELECT of_definition, definition_name, name, key,
      CASE WHEN is_cured THEN 'resolved' WHEN is_quarantined THEN 'quarantined' ELSE 'open' END,
      contract_hash, mode, detected, of_run, of_run,
      looked_contract, CASE WHEN looked_contract IS NOT NULL THEN now() END, failed_runs, outcome, error,
      CASE WHEN is_quarantined AND NOT is_cured THEN now() END, CASE WHEN is_quarantined AND NOT is_cured THEN of_run END,
      CASE WHEN is_cured THEN now() END, CASE WHEN is_cured THEN of_run END, CASE WHEN is_cured THEN 'cured' END
    FROM ruled WHERE id IS NULL)
  UPDATE actcore.findings AS finding SET
    state = 'resolved', quarantined_at = NULL, quarantined_run = NULL, resolved_at = now(), resolved_run = of_run,
    resolution = CASE WHEN finding.last_outcome = 'sent' OR EXISTS (
      -- Of a run that ended before it could say so here.
      SELECT FROM actcore.actions AS action JOIN actcore.action_batches AS batch ON batch.id = action.batch_id
      WHERE action.definition_uuid = of_definition AND action.check_name = finding.check_name
        AND md5(action.finding_key) = md5(finding.key) AND action.finding_key = finding.key
        AND action.outcome IN ('cured', 'sent') AND batch.fate = 'committed'
        AND action.recorded_at >= finding.last_seen_at) THEN 'cured' ELSE 'vanished' END
  FROM report
  WHERE finding.definition_uuid = of_definition AND finding.check_name = report.name AND report.is_complete
    AND finding.state <> 'resolved'
    AND NOT EXISTS (SELECT FROM given WHERE given.name = finding.check_name AND given.key = finding.key);

  UPDATE actcore.findings AS finding SET
    state = 'resolved', quarantined_at = NULL, quarantined_run = NULL, resolved_at = now(), resolved_run = of_run,
    resolution = 'unwatched'
  WHERE finding.definition_uuid = of_definition AND finding.state <> 'resolved' AND fired_by <> 'canary'
    AND NOT EXISTS (
      SELECT FROM json_to_recordset(reports) AS watched (name text, mode text)
      WHERE watched.name = finding.check_name AND watched.mode <> 'block')
    AND NOT EXISTS (
      SELECT FROM actcore.checks AS later WHERE later.definition_uuid = of_definition
        AND later.check_name = finding.check_name AND later.scheduled_at > tick AND later.observed);

  INSERT INTO actcore.journal (
    entity_type, entity_id, field, action, old_value, new_value, actor, source, workspace)
  SELECT 'finding', actcore.name_finding(finding.definition_id, finding.check_name, finding.key), 'state', 'update',
    '"open"', '"quarantined"', actcore.name_actor(of_run, tick, fired_by), 'watchdog', 'run ' || of_run
  FROM actcore.findings AS finding
  WHERE finding.definition_uuid = of_definition AND finding.state <> 'resolved' AND quarantined_run = of_run
    AND finding.check_name = ANY (told)
  ORDER BY finding.id;

  RETURN QUERY SELECT finding.check_name, finding.key FROM actcore.findings AS finding
  WHERE finding.definition_uuid = of_definition AND finding.state <> 'resolved' AND quarantined_run = of_run
  ORDER BY finding.id;
END
$function$
;

CREATE OR REPLACE FUNCTION actcore.prepare_actions(batch uuid, of_definition uuid, definition_name text, of_run uuid, tick timestamp with time zone, fired_by text, server text, transaction_id text, ids uuid[], checks text[], keys text[], actions text[], modes text[], outcomes text[], befores text[], afters text[], decisions text[], errors text[], moments timestamp with time zone[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
  committed uuid[] := '{}';
BEGIN
  PERFORM actcore.lock_watch(of_definition);
  INSERT INTO actcore.action_batches (
    id, definition_uuid, definition_id, run_id, scheduled_at, trigger, system_identifier, xid)
  VALUES (batch, of_definition, definition_name, of_run, tick, fired_by, server, transaction_id)
  ON CONFLICT DO NOTHING;
  IF NOT EXISTS (SELECT FROM actcore.action_batches WHERE id = batch AND fate = 'pending') THEN RETURN; END IF;
  FOR attempt IN 1..2 LOOP
    BEGIN
      INSERT INTO actcore.actions (
        id, batch_id, run_id, scheduled_at, definition_uuid, definition_id, check_name, finding_key, action, mode,
        outcome, before, after, decision, error, at)
      SELECT id, batch, of_run, tick, of_definition, definition_name, check_name, finding_key, given.action, mode,
        outcome, before::json, after::json, decision::json, error, at
      FROM unnest(ids, checks, keys, actions, modes, outcomes, befores, afters, decisions, errors, moments) AS given (
        id, check_name, finding_key, action, mode, outcome, before, after, decision, error, at)
      WHERE id <> ALL (committed) AND (outcome <> 'proposed' OR NOT actcore.is_proposed(
        of_definition, check_name, finding_key, id, given.action, decision));
      EXIT;
    EXCEPTION WHEN unique_violation THEN
      -- Seldom, and so not looked for before each insert.
      IF attempt = 2 THEN RAISE; END IF;
      DELETE FROM actcore.actions AS former WHERE id = ANY (ids) AND NOT EXISTS (
        SELECT FROM actcore.action_batches AS past WHERE past.id = former.batch_id AND past.fate = 'committed');
      committed := ARRAY(SELECT id FROM actcore.actions WHERE id = ANY (ids));
    END;
  END LOOP;
  DELETE FROM actcore.action_batches AS emptied
  WHERE definition_uuid = of_definition AND run_id = of_run AND fate = 'pending'
    AND NOT EXISTS (SELECT FROM actcore.actions WHERE run_id = of_run AND batch_id = emptied.id);
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

CREATE OR REPLACE FUNCTION actcore.roll_up_month(month date, settle_days integer)
 RETURNS TABLE(days bigint, runs numeric)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
#variable_conflict use_column
DECLARE
  due date[] := ARRAY(SELECT actcore.list_due_days(roll_up_month.month, greatest(settle_days, 0)));
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('actcore.run_days', 0));
  DELETE FROM actcore.run_days WHERE day = ANY (due) AND NOT sealed;
  INSERT INTO actcore.run_days
  SELECT counted.* FROM actcore.count_days(due) AS counted
  WHERE NOT EXISTS (
    SELECT FROM actcore.run_days AS gone
    WHERE gone.day = counted.day AND gone.definition_id = counted.definition_id AND gone.sealed);
  INSERT INTO actcore.rolled_days (day) SELECT unnest(due) ON CONFLICT DO NOTHING;
  RETURN QUERY SELECT cardinality(due)::bigint, coalesce(sum(kept.runs), 0)
  FROM actcore.run_days AS kept WHERE day = ANY (due);
END
$function$
;

CREATE OR REPLACE FUNCTION actcore.seal_days(leaving run_days[])
 RETURNS void
 LANGUAGE sql
AS $function$
  INSERT INTO actcore.run_days AS known (day, definition_id, source, outcome, runs, failures, p50_ms, p95_ms, sealed)
  SELECT day, definition_id, source, outcome, runs, failures, p50_ms, p95_ms, true FROM unnest(leaving)
  ON CONFLICT (day, definition_id, source, outcome) DO UPDATE SET
    runs = known.runs + excluded.runs, failures = known.failures + excluded.failures,
    p50_ms = CASE WHEN excluded.runs > known.runs THEN excluded.p50_ms ELSE known.p50_ms END,
    p95_ms = CASE WHEN excluded.runs > known.runs THEN excluded.p95_ms ELSE known.p95_ms END
$function$
;

CREATE OR REPLACE FUNCTION actcore.settle_actions(batch uuid, became text)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
DECLARE
  settled actcore.action_batches;
  actor text;
BEGIN
  PERFORM actcore.lock_watch(definition_uuid) FROM actcore.action_batches WHERE id = batch;
  UPDATE actcore.action_batches SET fate = became, settled_at = now() WHERE id = batch AND fate = 'pending'
  RETURNING * INTO settled;
  IF NOT FOUND OR became <> 'committed' THEN RETURN; END IF;
  actor := actcore.name_actor(settled.run_id, settled.scheduled_at, settled.trigger);
  INSERT INTO actcore.journal (
    entity_type, entity_id, field, action, old_value, new_value, actor, source, workspace)
  SELECT 'finding', actcore.name_finding(definition_id, check_name, finding_key), done.action,
    CASE WHEN before IS NULL AND after IS NOT NULL THEN 'insert' ELSE 'update' END,
    before, after, actor, 'watchdog', 'run ' || settled.run_id
  FROM actcore.actions AS done
  WHERE run_id = settled.run_id AND batch_id = settled.id AND outcome IN ('cured', 'sent')
  ORDER BY at, id;
END
$function$
;

CREATE OR REPLACE FUNCTION actcore.today()
 RETURNS date
 LANGUAGE sql
 STABLE
AS $function$ SELECT (now() AT TIME ZONE 'UTC')::date $function$
;

CREATE TRIGGER journal_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON actcore.journal FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE SEQUENCE actcore.findings_id_seq;

CREATE SEQUENCE actcore.journal_event_id_seq;
