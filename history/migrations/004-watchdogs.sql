-- What watchdogs found, what they did about it, and what each check of a run did.

-- No constraint that the rows of old would have to be read for.
ALTER TABLE actcore.runs
  -- It was fired to look only: its checks were milder than its definition says, so it vouches for nothing.
  ADD COLUMN dry_run boolean NOT NULL DEFAULT false;

-- One row for each episode of a finding: from the run that saw it first to the one that saw it no more.
CREATE TABLE actcore.findings (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  definition_uuid uuid NOT NULL,
  definition_id text NOT NULL,
  check_name text NOT NULL,
  -- The values of the key's columns, a JSON array, as the watched database wrote it.
  key text NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'quarantined', 'resolved')),
  -- Of the check that saw it last: what it gives evidence for, and what it was run as.
  contract_hash text NOT NULL,
  mode text NOT NULL CHECK (mode IN ('auto', 'dry_run', 'sim', 'block')),
  -- Of the check that only looked at it, or simulated, the last time that one did: what it is evidence for.
  looked_contract text,
  looked_at timestamptz,
  -- The row as it was seen last.
  detected json NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT now(),
  opened_run uuid NOT NULL,
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  last_seen_run uuid NOT NULL,
  seen_runs integer NOT NULL DEFAULT 1,
  -- In how many runs its remedy failed or did not cure, since it was opened or released.
  failed_runs integer NOT NULL,
  -- Of the last run that did or proposed something about it.
  last_outcome text,
  last_error text,
  quarantined_at timestamptz,
  quarantined_run uuid,
  resolved_at timestamptz,
  resolved_run uuid,
  -- Whether a remedy did it, it went away by itself, or nobody looks for it any more.
  resolution text CHECK (resolution IN ('cured', 'vanished', 'unwatched')),
  CHECK ((state = 'quarantined') = (quarantined_at IS NOT NULL)),
  CHECK ((quarantined_at IS NULL) = (quarantined_run IS NULL)),
  CHECK ((state = 'resolved') = (resolved_at IS NOT NULL)),
  CHECK ((resolved_at IS NULL) = (resolved_run IS NULL)),
  CHECK ((resolved_at IS NULL) = (resolution IS NULL)),
  CHECK ((looked_at IS NULL) = (looked_contract IS NULL))
);

-- Keys are as long as the watched database has them; their digest is what fits into an index.
CREATE UNIQUE INDEX findings_open ON actcore.findings (definition_uuid, check_name, md5(key)) WHERE state <> 'resolved';
CREATE INDEX findings_key ON actcore.findings (definition_uuid, check_name, md5(key), opened_at);
CREATE INDEX findings_definition ON actcore.findings (definition_id, opened_at DESC);
CREATE INDEX findings_opened ON actcore.findings (opened_at DESC);

-- The triplets of one transaction in a watched database, which committed, or did not, on that other server.
CREATE TABLE actcore.action_batches (
  id uuid PRIMARY KEY,
  definition_uuid uuid NOT NULL,
  definition_id text NOT NULL,
  run_id uuid NOT NULL,
  scheduled_at timestamptz NOT NULL,
  trigger text NOT NULL,
  system_identifier text NOT NULL,
  -- Null where there was no transaction, as for a request.
  xid text,
  -- Left once, and never again: from pending to what became of the transaction.
  fate text NOT NULL DEFAULT 'pending' CHECK (fate IN ('pending', 'committed', 'aborted')),
  prepared_at timestamptz NOT NULL DEFAULT now(),
  settled_at timestamptz,
  CHECK ((fate = 'pending') = (settled_at IS NULL))
);

CREATE INDEX action_batches_unsettled ON actcore.action_batches (definition_uuid, prepared_at) WHERE fate = 'pending';
CREATE INDEX action_batches_prepared ON actcore.action_batches (definition_uuid, prepared_at);

-- The triplets: before, action, after, with the decision. They count where their batch is committed.
CREATE TABLE actcore.actions (
  -- Names run, check and finding, so that the same action told twice is one row.
  id uuid PRIMARY KEY,
  batch_id uuid NOT NULL,
  run_id uuid NOT NULL,
  scheduled_at timestamptz NOT NULL,
  definition_uuid uuid NOT NULL,
  definition_id text NOT NULL,
  check_name text NOT NULL,
  finding_key text NOT NULL,
  action text NOT NULL,
  mode text NOT NULL CHECK (mode IN ('auto', 'dry_run', 'sim', 'block')),
  outcome text NOT NULL
    CHECK (outcome IN ('cured', 'sent', 'simulated', 'proposed', 'not_cured', 'failed')),
  -- Kept as the text that the watched database wrote: numbers stay exact to the last digit.
  before json,
  after json,
  decision json NOT NULL,
  error text,
  at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX actions_run ON actcore.actions (run_id, batch_id);
CREATE INDEX actions_key ON actcore.actions (definition_uuid, check_name, md5(finding_key), at DESC);

-- What each check of a run did.
CREATE TABLE actcore.checks (
  run_id uuid NOT NULL,
  scheduled_at timestamptz NOT NULL,
  check_name text NOT NULL,
  -- Its place in the definition, from 0.
  ordinal integer NOT NULL,
  definition_uuid uuid NOT NULL,
  definition_id text NOT NULL,
  trigger text NOT NULL,
  -- What it was run as.
  mode text NOT NULL CHECK (mode IN ('auto', 'dry_run', 'sim', 'block')),
  contract_hash text NOT NULL,
  findings integer NOT NULL,
  has_more boolean NOT NULL,
  cured integer NOT NULL,
  sent integer NOT NULL,
  simulated integer NOT NULL,
  proposed integer NOT NULL,
  failed integer NOT NULL,
  -- Not acted on, for a reason that stands in the assessment.
  left_alone integer NOT NULL,
  took_ms double precision NOT NULL,
  -- Why it broke.
  error text,
  -- Whether the life of its findings has been told by this run.
  observed boolean NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run_id, scheduled_at, check_name)
) PARTITION BY RANGE (scheduled_at);

CREATE INDEX checks_check ON actcore.checks (definition_uuid, check_name, scheduled_at DESC);
-- What the gate for `auto` asks for.
CREATE INDEX checks_evidence ON actcore.checks (contract_hash, definition_uuid)
  WHERE mode IN ('dry_run', 'sim') AND error IS NULL;

-- The journal of a definition tells what was done about its findings.
CREATE INDEX journal_finding ON actcore.journal (split_part(entity_id, '/', 1), event_id DESC)
  WHERE entity_type = 'finding';

-- How the journal names a finding; a key that is longer than an index takes is cut.
CREATE FUNCTION actcore.name_finding(definition_name text, check_name text, key text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT definition_name || '/' || check_name || '/' || CASE WHEN length(key) > 500 THEN left(key, 500) || '…' ELSE key END
$$;

-- Who fired a run, as far as the history knows by now.
CREATE FUNCTION actcore.name_actor(of_run uuid, tick timestamptz, fired_by text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT actor FROM actcore.runs WHERE id = of_run AND scheduled_at = tick), fired_by)
$$;

-- One writer at a time for what a definition watches. In a function of its own statements, each of which sees all that
-- earlier holders have committed.
CREATE FUNCTION actcore.lock_watch(of_definition uuid) RETURNS void
LANGUAGE sql AS $$
  SELECT pg_advisory_xact_lock(hashtextextended('actcore.watch/' || of_definition, 0))
$$;

-- Whether the same was proposed for a finding since it was resolved last.
CREATE FUNCTION actcore.is_proposed(
  of_definition uuid, of_check text, of_key text, by_id uuid, what text, decided text) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM actcore.actions
    WHERE definition_uuid = of_definition AND check_name = of_check AND md5(finding_key) = md5(of_key)
      AND finding_key = of_key AND outcome = 'proposed' AND id <> by_id AND action = what
      AND (decision ->> 'parameters') IS NOT DISTINCT FROM (decided::json ->> 'parameters')
      AND recorded_at > coalesce((
        SELECT max(resolved_at) FROM actcore.findings
        WHERE definition_uuid = of_definition AND check_name = of_check AND md5(key) = md5(of_key) AND key = of_key),
        '-infinity'))
$$;

-- Keeps triplets whose transaction has not ended yet. An action that an earlier batch has, and that is not known to be
-- committed, is told anew by this one. What was proposed in an episode is not proposed again in it, unless by other words.
CREATE FUNCTION actcore.prepare_actions(
  batch uuid, of_definition uuid, definition_name text, of_run uuid, tick timestamptz, fired_by text, server text,
  transaction_id text, ids uuid[], checks text[], keys text[], actions text[], modes text[], outcomes text[],
  befores text[], afters text[], decisions text[], errors text[], moments timestamptz[]) RETURNS void
LANGUAGE plpgsql AS $$
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
$$;

-- Says what became of a batch; only the first word counts. What a committed one changed is journaled with it.
CREATE FUNCTION actcore.settle_actions(batch uuid, became text) RETURNS void
LANGUAGE plpgsql AS $$
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
$$;

-- Writes what the checks of a run did; the first word counts. Returns the names of those that `told` the life of their
-- findings by this call.
CREATE FUNCTION actcore.keep_checks(
  of_definition uuid, definition_name text, of_run uuid, tick timestamptz, fired_by text, reports json, told boolean)
RETURNS SETOF text
LANGUAGE sql AS $$
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
$$;

-- Tells the life of findings by what a run saw: opens, keeps, quarantines and resolves them. `reports` has all checks of the
-- definition. Each check of a run is told once, and one that comes after a later run of it changes nothing. Findings of a
-- check that is gone, or that is not looked at, are closed as unwatched, though not by a canary: its file may never be
-- applied. Returns what the run has quarantined.
CREATE FUNCTION actcore.observe_findings(
  of_definition uuid, definition_name text, of_run uuid, tick timestamptz, fired_by text, reports json, seen json)
RETURNS TABLE (check_name text, key text)
LANGUAGE plpgsql AS $$
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
$$;

-- Makes the partitions that hold `moment`, of every table here that has them: all are partitioned by the month. Safe to
-- call at any time, by any number of sessions at once.
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
  FOR parent IN
    SELECT relname FROM pg_partitioned_table JOIN pg_class ON pg_class.oid = partrelid
    WHERE relnamespace = 'actcore'::regnamespace ORDER BY relname
  LOOP
    EXECUTE format(
      'CREATE TABLE IF NOT EXISTS actcore.%I PARTITION OF actcore.%I FOR VALUES FROM (%L) TO (%L)',
      parent || '_' || month_name, parent, lower_bound, upper_bound);
  END LOOP;
END
$$;

-- Gives a table that is new the months that `runs` has already.
CREATE FUNCTION actcore.ensure_known_months() RETURNS void
LANGUAGE sql AS $$
  SELECT actcore.ensure_month(to_date(month_name, 'YYYY_MM')::timestamp AT TIME ZONE 'UTC')
  FROM (SELECT substring(relname FROM '^runs_(\d{4}_\d{2})$') AS month_name
        FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = 'actcore.runs'::regclass) AS months
  WHERE month_name IS NOT NULL
$$;

SELECT actcore.ensure_known_months();
