import { v5 } from 'uuid';
import type { Cadence, JsonValue, Order } from '../workflows/contract.ts';
import { compileCadence } from './cadence.ts';
import { hashContract, hashRevision } from './digest.ts';
import type { Behaviour } from './digest.ts';
import type { DefinitionKeys } from './schema.ts';

/** One compiled file: what stands in its frontmatter, its prose, and the order that every run of it gets. */
export interface Definition {
  file: string;
  id: string;
  uuid: string;
  title: string;
  owner: string;
  enabled: boolean;
  labels: Record<string, string>;
  /** The outside runners that are expected to drive the same activity, and when. */
  sources: Record<string, Cadence>;
  /** The keys of the file as they were read, for whoever compares two contents. */
  frontmatter: Record<string, unknown>;
  /** The prose under the frontmatter, LF line ends. */
  runbook: string;
  order: Order;
}

/** Pinned for ever: another namespace would cut every definition without a `uuid` off from its history. */
const definitionNamespace = '5f1d7a38-3c0e-4b6f-9a51-6de2c8b4f017';

const hardTimeoutMarginMs = 60_000;

/** The uuid of a definition that states none. */
export function deriveUuid(id: string): string {
  return v5(id, definitionNamespace);
}

/** Builds a definition from keys that have passed every check. `frontmatter` is the same as it was read. */
export function buildDefinition(
  file: string,
  keys: DefinitionKeys,
  frontmatter: Record<string, unknown>,
  runbook: string,
): Definition {
  const { id, title, owner, kind, enabled, labels = {} } = keys;
  const uuid = keys.uuid ?? deriveUuid(id);
  const behaviour = buildBehaviour(keys);
  const { kind: _kind, ...parts } = behaviour;
  const order: Order = {
    format: 1,
    definition: { id, uuid, title, owner, kind },
    contractHash: hashContract(behaviour),
    revision: hashRevision(frontmatter, runbook),
    ...parts,
  };
  const sources = Object.fromEntries(
    Object.entries(keys.sources).map(([name, source]) => [name, compileCadence(source, id)]),
  );
  return { file, id, uuid, title, owner, enabled, labels, sources, frontmatter, runbook, order };
}

function buildBehaviour(keys: DefinitionKeys): Behaviour {
  const { budget, sweep } = keys;
  const { lock_skipped, automation_error, assessment_failures } = sweep.outcome;
  const { method, url, headers, body } = sweep.request;
  return {
    kind: keys.kind,
    cadence: compileCadence(keys.schedule, keys.id),
    misfire: { policy: keys.misfire_policy, graceMs: keys.misfire_grace },
    budget: {
      maxSeconds: budget.max_seconds,
      hardTimeoutMs: budget.hard_timeout ?? budget.max_seconds * 1_000 + hardTimeoutMarginMs,
    },
    onFailure: keys.on_failure,
    retry: { attempts: keys.retry.attempts },
    env: keys.env,
    secrets: keys.secrets,
    sweep: {
      request: { method, url, headers, ...(body === undefined ? {} : { body: body as JsonValue }) },
      outcome: {
        ...(lock_skipped === undefined ? {} : { lock_skipped }),
        ...(automation_error === undefined ? {} : { automation_error }),
        ...(assessment_failures === undefined ? {} : { assessment_failures }),
      },
    },
  };
}
