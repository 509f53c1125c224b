-- Roll-ups of each day that outlive the rows, and what retention needs to make months ahead and to let old ones go.

CREATE TABLE actcore.run_days (
  -- Of the tick, in UTC.
  day date NOT NULL,
  definition_id text NOT NULL,
  source text NOT NULL,
  -- `running` where the run never ended.
  outcome text NOT NULL,
  runs bigint NOT NULL,
  -- Of them, those whose assessment failed.
  failures bigint NOT NULL,
  -- How long half of them, and 95 of 100, took at most; null where none ended.
  p50_ms double precision,
  p95_ms double precision,
  -- The rows are gone. What comes later is added when it goes too, and the greater part has the percentiles.
  sealed boolean NOT NULL DEFAULT false,
  PRIMARY KEY (day, definition_id, source, outcome)
);

CREATE INDEX run_days_definition ON actcore.run_days (definition_id, day DESC);

-- The days that were rolled up when they had settled, those without a run among them.
CREATE TABLE actcore.rolled_days (
  day date PRIMARY KEY,
  rolled_at timestamptz NOT NULL DEFAULT now()
);

-- What health asks for: both stay small, whatever the history holds.
CREATE INDEX runs_open ON actcore.runs (scheduled_at DESC) WHERE outcome IS NULL;
CREATE INDEX findings_quarantined ON actcore.findings (definition_id) WHERE state = 'quarantined';

-- The first instant of a day or month, which are of UTC.
CREATE FUNCTION actcore.begin_of(day date) RETURNS timestamptz
LANGUAGE sql STABLE AS $$ SELECT day::timestamp AT TIME ZONE 'UTC' $$;

-- The day that it is, and the first one of a month so many months away, both in UTC whatever the session's zone.
CREATE FUNCTION actcore.today() RETURNS date
LANGUAGE sql STABLE AS $$ SELECT (now() AT TIME ZONE 'UTC')::date $$;

CREATE FUNCTION actcore.month_at(distance integer) RETURNS date
LANGUAGE sql STABLE AS $$
  SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => distance))::date
$$;

CREATE FUNCTION actcore.next_month(month date) RETURNS date
LANGUAGE sql IMMUTABLE AS $$ SELECT (month + interval '1 month')::date $$;

-- The months that `runs` has, by their first days.
CREATE FUNCTION actcore.list_months() RETURNS TABLE (month date)
LANGUAGE sql STABLE AS $$
  SELECT to_date(substring(relname FROM '^runs_(\d{4}_\d{2})$'), 'YYYY_MM')
  FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
  WHERE inhparent = 'actcore.runs'::regclass AND relname ~ '^runs_\d{4}_\d{2}$'
  ORDER BY 1
$$;

-- The partitions of a month that are there, of every table that has months; null where one of them is missing.
CREATE FUNCTION actcore.list_partitions(month date) RETURNS TABLE (parent name, partition regclass)
LANGUAGE sql STABLE AS $$
  SELECT relname, to_regclass(format('actcore.%I', relname || '_' || to_char(month, 'YYYY_MM')))
  FROM pg_class WHERE relnamespace = 'actcore'::regnamespace AND relkind = 'p' ORDER BY oid
$$;

-- From which day on the rows of each id are kept that a definition has or had: by what the revision that was applied last says
-- under `retention`, else as all others. Nothing goes that the reconciler may still ask for.
CREATE FUNCTION actcore.list_keeps(keep_months integer, most_rows bigint)
RETURNS TABLE (definition_id text, keep_from date)
LANGUAGE sql STABLE AS $$
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
$$;

-- Whether a month that is beyond its age has a row of a definition that keeps its own longer.
CREATE FUNCTION actcore.is_held(month date, keep_months integer, most_rows bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM actcore.list_keeps(keep_months, most_rows) AS keeps
    WHERE keep_from < least(actcore.month_at(-keep_months), actcore.next_month(month)) AND EXISTS (
      SELECT FROM actcore.runs WHERE runs.definition_id = keeps.definition_id
        AND scheduled_at >= actcore.begin_of(greatest(keep_from, month))
        AND scheduled_at < actcore.begin_of(actcore.next_month(month))))
$$;

-- Whose rows are not kept, by month, and until when they go: of the definitions that are known, and in a month that is beyond
-- its age and held for the sake of one of them those of all others. A month that goes as a whole is left out.
CREATE FUNCTION actcore.list_leaving(only_month date, keep_months integer, most_rows bigint)
RETURNS TABLE (month date, definition_id text, until timestamptz)
LANGUAGE sql STABLE AS $$
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
$$;

-- The days of a month that are over for so long that hardly a row comes late, and that were not rolled up yet.
CREATE FUNCTION actcore.list_due_days(month date, settle_days integer) RETURNS SETOF date
LANGUAGE sql STABLE AS $$
  SELECT month + place
  FROM generate_series(0, least(actcore.next_month(month), actcore.today() - settle_days) - month - 1) AS place
  WHERE NOT EXISTS (SELECT FROM actcore.rolled_days WHERE day = month + place)
$$;

-- What stands in `runs` of these days, as roll-ups have it.
CREATE FUNCTION actcore.count_days(days date[]) RETURNS SETOF actcore.run_days
LANGUAGE sql STABLE AS $$
  SELECT day, runs.definition_id, runs.source, coalesce(runs.outcome, 'running'), count(*),
    count(*) FILTER (WHERE assessment = 'failed'),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000)::float8,
    percentile_disc(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at) * 1000)::float8, false
  FROM unnest(days) AS day, LATERAL (
    SELECT * FROM actcore.runs
    WHERE scheduled_at >= actcore.begin_of(day) AND scheduled_at < actcore.begin_of(day + 1)) AS runs
  GROUP BY 1, 2, 3, 4
$$;

-- Adds what leaves the history to the roll-ups, for good. What was counted of the same rows before has to be gone.
CREATE FUNCTION actcore.seal_days(leaving actcore.run_days[]) RETURNS void
LANGUAGE sql AS $$
  INSERT INTO actcore.run_days AS known (day, definition_id, source, outcome, runs, failures, p50_ms, p95_ms, sealed)
  SELECT day, definition_id, source, outcome, runs, failures, p50_ms, p95_ms, true FROM unnest(leaving)
  ON CONFLICT (day, definition_id, source, outcome) DO UPDATE SET
    runs = known.runs + excluded.runs, failures = known.failures + excluded.failures,
    p50_ms = CASE WHEN excluded.runs > known.runs THEN excluded.p50_ms ELSE known.p50_ms END,
    p95_ms = CASE WHEN excluded.runs > known.runs THEN excluded.p95_ms ELSE known.p95_ms END
$$;

-- What follows acts as its owner, for whoever may write runs: it writes no roll-up but from rows, and lets nothing go that is
-- younger than eight days.

-- Rolls up the days of a month that have settled. Of rows that are gone already the roll-ups stay.
CREATE FUNCTION actcore.roll_up_month(month date, settle_days integer) RETURNS TABLE (days bigint, runs numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
$$;

-- Takes out of a month the rows that their definitions do not keep, with all that belongs to them, and rolls them up.
CREATE FUNCTION actcore.drop_surplus(month date, keep_months integer, most_rows bigint)
RETURNS TABLE (runs bigint, definitions bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
$$;

-- Rolls up a month for good, from the rows themselves, and drops its partitions.
CREATE FUNCTION actcore.drop_month(month date) RETURNS TABLE (runs numeric, tables text[], size_bytes numeric)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
$$;
