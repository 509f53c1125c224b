import { z } from 'zod';
import { definitionSchema, kinds } from './schema.ts';

/** What an editor shows beside a key. */
const descriptions: Readonly<Record<string, string>> = {
  id: 'Dotted kebab-case; also the id of the schedule.',
  uuid: 'Optional; derived from the id where it is absent.',
  title: 'One line, shown wherever a run is.',
  owner: 'Who is asked about it.',
  kind: 'sweep calls an HTTP API that does the work; watchdog runs SQL checks on a Postgres.',
  enabled: 'True only after a canary of this contract has completed.',
  schedule: 'When it fires: { cron, timezone } or { every }; start, end, skip, dst, jitter and spread are optional.',
  misfire_policy: 'What becomes of a tick that is too late: skip, or run_once.',
  misfire_grace: 'Later than this is a misfire; at least 10s.',
  budget: 'max_seconds is what the target is told; hard_timeout (60s more by default) is when the run is aborted.',
  on_failure: 'After an automation error: log_and_continue, fail or pause.',
  retry: 'How often a request is tried that cannot have had an effect.',
  env: 'The only variables of the worker that ${...} may name.',
  secrets: 'The same as env, never shown or stored.',
  sources: 'Outside runners that are expected to drive the same activity meanwhile.',
  labels: 'Text by name; not part of the contract.',
  notify: 'Names of variables that hold webhook addresses to tell of what went wrong; secret like those of secrets.',
  moved_from: 'The id, or ids, that this activity had before.',
  sweep: 'The request, and how its response is read.',
  watchdog: 'The database and the checks; their SQL stands in the prose, a section for each check.',
};

/**
 * The JSON Schema (draft 2020-12) of the frontmatter, for editors: it completes keys and refuses unknown ones. What
 * needs more than one key, and what stands inside a text, only the compiler checks.
 */
function buildJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(definitionSchema, { target: 'draft-2020-12', io: 'input', unrepresentable: 'any' });
  const properties = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const description = descriptions[key];
    return [key, typeof value === 'object' ? { description, ...value } : value] as const;
  });
  const sections = kinds.map((kind) => ({ properties: { kind: { const: kind } }, required: [kind] }));
  return {
    ...schema,
    title: 'The frontmatter of an activity definition',
    properties: Object.fromEntries(properties),
    oneOf: sections,
  };
}

/** The schema as its file holds it; `actcore schema` prints this. */
export function renderJsonSchema(): string {
  return `${JSON.stringify(buildJsonSchema(), null, 2)}\n`;
}
