import type { Client } from '@temporalio/client';
import type pg from 'pg';
import type { Definition } from '../compiler/definition.ts';
import type { KnownDefinition } from '../history/chain.ts';
import type { FieldChange } from '../history/journal.ts';
import { recordReturn } from '../history/retirement.ts';
import { keepRevisions, recordApplied } from '../history/revisions.ts';
import type { AppliedDefinition } from '../history/revisions.ts';
import { disabledNote, retiredNotePrefix } from '../schedules/desired.ts';
import { observeSchedule } from '../schedules/observe.ts';
import type { PlannedChange } from '../schedules/plan.ts';
import { isFailed } from '../schedules/render.ts';
import type { JsonValue } from '../workflows/contract.ts';
import { withApplyLock } from './apply-lock.ts';
import { describeGate, findGated, noFindings, refuseChange } from './canary-gate.ts';
import type { GateFindings } from './canary-gate.ts';
import type { CompiledSet } from './definition-files.ts';
import { findHeld } from './hold.ts';
import { Refusal, exitCodes } from './refusal.ts';
import type { Settings } from './settings.ts';
import type { Admission } from './waivers.ts';
import { signAs } from './workspace.ts';

/** Applies those that are admitted, and tells of each as soon as the server has it. */
export type ApplyAdmitted = (
  admitted: Definition[],
  onApplied: (change: PlannedChange) => void,
) => Promise<PlannedChange[]>;

/**
 * Applies definitions so that server and history cannot tell different stories: texts are kept first, then the server
 * is changed, then what it took is counted, also where the work broke off. Nothing is changed where the history is
 * away or another apply is going. Changes come in the order of the definitions, the refused ones among them.
 */
export async function applyRecorded(
  settings: Settings,
  client: Client,
  set: Pick<CompiledSet, 'definitions' | 'texts'>,
  admission: Admission,
  apply: ApplyAdmitted,
): Promise<PlannedChange[]> {
  const work = async (history: pg.PoolClient) => {
    const found = await findGated(client, history, set.definitions);
    const gate = waiveGate(found, admission);
    const held = admission.hold === true ? await findHeld(client, set.definitions, gate) : new Map<string, string>();
    const remarks = new Map(set.definitions.map((definition) => [definition.id, describeGate(definition, gate)]));
    const admitted = set.definitions
      .filter(({ id }) => held.has(id) || remarks.get(id) === undefined)
      .map((definition) => (held.has(definition.id) ? { ...definition, enabled: false } : definition));
    await keepRevisions(
      history,
      admitted.map((one) => describeApplied(one, set.texts)),
      settings.actor,
    );
    for (const { id } of admitted) await unretire(client, history, found.retired.get(id), settings);
    const applied = new Set<string>();
    const outcome = await attempt(() =>
      apply(admitted, (change) => {
        if (!isFailed(change)) applied.add(change.id);
      }),
    );
    const taken = admitted.filter(({ id }) => applied.has(id));
    await recordTaken(history, taken, found, { set, settings, admission, held });
    if ('error' in outcome) return outcome;
    const made = new Map(outcome.value.map((change) => [change.id, change]));
    return {
      value: set.definitions.map(({ id }) =>
        addRemark(made.get(id) ?? refuseChange(id, remarks.get(id) ?? ''), held.get(id)),
      ),
    };
  };
  const ended = await withApplyLock(settings, 'apply', work, admission.patienceMs);
  if ('error' in ended) throw ended.error;
  return ended.value;
}

function addRemark(change: PlannedChange, remark: string | undefined): PlannedChange {
  if (remark === undefined || isFailed(change)) return change;
  return { ...change, remark: change.remark === undefined ? remark : `${change.remark}; ${remark}` };
}

type Attempt<Value> = { value: Value } | { error: unknown };

/** What the server says is not to be taken for what the history says, so it is carried out of its reach. */
async function attempt<Value>(work: () => Promise<Value>): Promise<Attempt<Value>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}

function waiveGate(found: GateFindings, { uncanariedReason, unprovenReason, unretire: back }: Admission): GateFindings {
  return {
    ...found,
    ...(uncanariedReason === undefined ? {} : { uncanaried: noFindings.uncanaried }),
    ...(unprovenReason === undefined ? {} : { unproven: noFindings.unproven }),
    ...(back === true ? { retired: noFindings.retired } : {}),
  };
}

/**
 * The schedule first comes to look as one that its definition has switched off, still paused; then the history takes
 * it up again. Broken off in between, it is retired and paused, and the next try goes through.
 */
async function unretire(
  client: Client,
  history: pg.ClientBase,
  retired: KnownDefinition | undefined,
  settings: Settings,
): Promise<void> {
  if (retired === undefined) return;
  const observed = await observeSchedule(client, retired.id);
  if (observed?.digest !== undefined && observed.note?.startsWith(retiredNotePrefix) === true) {
    await client.schedule.getHandle(retired.id).pause(disabledNote);
  }
  await recordReturn(history, retired, signAs('apply', settings));
}

interface Taking {
  set: Pick<CompiledSet, 'texts'>;
  settings: Settings;
  admission: Admission;
  held: ReadonlyMap<string, string>;
}

async function recordTaken(
  history: pg.ClientBase,
  taken: Definition[],
  found: GateFindings,
  { set, settings, admission, held }: Taking,
): Promise<void> {
  try {
    const definitions = taken.map((definition) => describeApplied(definition, set.texts));
    const waived = taken.filter(({ id }) => !held.has(id));
    const events = waived.flatMap((definition) => describeWaivers(definition, found, admission));
    await recordApplied(history, definitions, signAs('apply', settings), events);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Refusal(
      `The server has ${taken.length} of the definitions, and the history could not be told: ${message}`,
      'Their texts are kept. Run apply again when the history is back: it completes the record.',
      exitCodes.unreachable,
    );
  }
}

function describeApplied(definition: Definition, texts: CompiledSet['texts']): AppliedDefinition {
  const { uuid, id, enabled, order, file, frontmatter, runbook } = definition;
  const content = { ...(frontmatter as { [key: string]: JsonValue }), runbook };
  const { revision, contractHash } = order;
  return { uuid, id, enabled, revision, contractHash, file, text: texts.get(file) ?? '', content };
}

/** What was waived for a definition that the server has taken. */
function describeWaivers(
  { id, order }: Definition,
  { uncanaried, unproven }: GateFindings,
  { uncanariedReason, unprovenReason }: Admission,
): FieldChange[] {
  const change = { entityType: 'definition', entityId: id, action: 'update' } as const;
  const isUncanaried = uncanaried.some((other) => other.id === id);
  const contracts = (unproven.get(id) ?? []).map(({ name, contractHash }) => [name, contractHash] as const);
  return [
    ...(isUncanaried
      ? [{ ...change, field: 'canary', newValue: { waived: uncanariedReason ?? '', contractHash: order.contractHash } }]
      : []),
    ...(contracts.length > 0
      ? [
          {
            ...change,
            field: 'evidence',
            newValue: { waived: unprovenReason ?? '', checks: Object.fromEntries(contracts) },
          },
        ]
      : []),
  ];
}
