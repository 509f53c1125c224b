-- Ticks that never became a run get rows too, and what was seen of each schedule is remembered.

-- -1 is concluded: nobody saw a run of the tick. The rows that are there already satisfied the narrower rule.
ALTER TABLE actcore.runs DROP CONSTRAINT runs_standing_check;
ALTER TABLE actcore.runs ADD CONSTRAINT runs_standing_check CHECK (standing BETWEEN -1 AND 2) NOT VALID;

-- What the server had of a definition, from one look to another: a row for each state that it was seen in.
CREATE TABLE actcore.schedule_states (
  definition_uuid uuid NOT NULL,
  first_seen timestamptz NOT NULL,
  last_seen timestamptz NOT NULL,
  schedule_id text NOT NULL,
  -- When the server says that the schedule was made or changed last; a pause is no such change.
  since timestamptz NOT NULL,
  revision text NOT NULL,
  enabled boolean NOT NULL,
  -- When the schedule fired, which may differ from what its definition says.
  cadence jsonb NOT NULL,
  -- By hand, or by a failed run: not because the definition is off.
  paused boolean NOT NULL,
  note text,
  -- The server's own counters at the last look: ticks beyond the catch-up window, and ticks skipped for overlap.
  missed_catchup bigint NOT NULL,
  skipped_overlap bigint NOT NULL,
  PRIMARY KEY (definition_uuid, first_seen)
);
