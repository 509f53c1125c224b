-- Outside runners that report in: what was odd about a report, and the sources whose time is over.

-- Such as `late` or `clock_off`; what each means stands beside the code that sets it.
ALTER TABLE actcore.runs ADD COLUMN flags text[] NOT NULL DEFAULT '{}';

-- A source that another one has taken over from, on this evidence; a row for each time, and open until it is reverted.
CREATE TABLE actcore.retired_sources (
  definition_uuid uuid NOT NULL,
  source text NOT NULL,
  retired_at timestamptz NOT NULL DEFAULT now(),
  retired_by text NOT NULL,
  successor text NOT NULL,
  evidence json NOT NULL,
  reverted_at timestamptz,
  reverted_by text,
  PRIMARY KEY (definition_uuid, source, retired_at),
  CHECK ((reverted_at IS NULL) = (reverted_by IS NULL))
);

CREATE UNIQUE INDEX retired_sources_open ON actcore.retired_sources (definition_uuid, source) WHERE reverted_at IS NULL;
