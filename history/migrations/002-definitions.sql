-- What was applied, by whom and in which order: the definitions, every content they ever had, and the journal of changes.

CREATE TABLE actcore.definitions (
  uuid uuid PRIMARY KEY,
  -- Not unique: a file that comes to state another uuid is another definition; the id then means the one applied last.
  id text NOT NULL,
  enabled boolean NOT NULL,
  -- The revision that was applied last.
  revision text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  retired_at timestamptz,
  retired_by text,
  retired_reason text,
  CHECK ((retired_at IS NULL) = (retired_by IS NULL)),
  CHECK ((retired_at IS NULL) = (retired_reason IS NULL))
);

CREATE INDEX definitions_id ON actcore.definitions (id, applied_at DESC);

CREATE TABLE actcore.revisions (
  definition_uuid uuid NOT NULL,
  revision text NOT NULL,
  contract_hash text NOT NULL,
  -- The revision that this one superseded; null for the first. No foreign key: a chain that is broken is still read.
  parent text,
  file text NOT NULL,
  -- The whole file, as it was when this content was seen first.
  text text NOT NULL,
  -- The frontmatter as data, and the prose under the key `runbook`: what the journal compares.
  content json NOT NULL,
  -- 0 from the moment it is kept until the server is known to have it.
  applied_count integer NOT NULL DEFAULT 0 CHECK (applied_count >= 0),
  kept_at timestamptz NOT NULL DEFAULT now(),
  first_applied_at timestamptz,
  last_applied_at timestamptz,
  -- Who applied it first.
  actor text NOT NULL,
  PRIMARY KEY (definition_uuid, revision),
  CHECK ((applied_count = 0) = (first_applied_at IS NULL)),
  CHECK ((first_applied_at IS NULL) = (last_applied_at IS NULL))
);

CREATE TABLE actcore.journal (
  event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  entity_type text NOT NULL,
  entity_id text NOT NULL,
  -- Dotted, such as budget.max_seconds.
  field text NOT NULL,
  action text NOT NULL CHECK (action IN ('insert', 'update', 'delete', 'ingest')),
  old_value json,
  new_value json,
  actor text NOT NULL,
  -- The command or the part of the program that made the change.
  source text NOT NULL,
  -- Where the actor was: the folder that the command ran in.
  workspace text NOT NULL
);

CREATE INDEX journal_entity ON actcore.journal (entity_id, event_id DESC);
CREATE INDEX journal_at ON actcore.journal (at);

CREATE FUNCTION actcore.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'actcore.% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON actcore.journal
  FOR EACH STATEMENT EXECUTE FUNCTION actcore.refuse_change();

-- What the canary gate asks for.
CREATE INDEX runs_canary ON actcore.runs (contract_hash) WHERE trigger = 'canary' AND outcome = 'completed';
