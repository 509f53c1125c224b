import { randomUUID } from 'node:crypto';
import type { WatchLedger, WatchRun } from '../../history/watch-ledger.ts';
import type { ActionRecord, WatchdogCheck } from '../../workflows/contract.ts';
import { awaitAtMost } from '../patience.ts';
import type { Redact } from '../redaction.ts';
import { mostCarriedBytes } from '../report-size.ts';
import { CheckError } from './check-error.ts';
import type { PreparedActions } from './finding.ts';
import type { HistoryLine } from './history-line.ts';
import { sealRecord } from './seal.ts';
import { watchReasons } from './watch-reasons.ts';

/** Where the triplets of one run are kept: in the history, or where that is away in the run's own report. */
export interface AuditTrail {
  /** See `Treatment.prepare`. */
  prepare(check: WatchdogCheck, records: ActionRecord[], xid: string | undefined): Promise<PreparedActions>;
  /** Keeps what nothing was done about; where the history is away it is left out, for a later run says it again. */
  propose(records: ActionRecord[]): Promise<void>;
  /** What waits in the report for the history to be back. */
  carried(): ActionRecord[];
}

interface TrailOptions {
  watch: WatchLedger;
  history: HistoryLine;
  run: WatchRun;
  systemIdentifier: string;
  /** Takes the secrets of the run out of JSON texts. */
  redactData: Redact;
}

const settlePatienceMs = 2_000;
/** So many triplets go to the history at once. */
const batchSize = 1_000;

/** The trail of a run; nothing is kept yet. */
export function openAuditTrail(options: TrailOptions): AuditTrail {
  const { redactData } = options;
  const luggage = openLuggage();
  const kept = new Set<string>();
  const keep = async (records: ActionRecord[], xid: string | undefined) => {
    const prepared = await keepBatch(options, records, xid);
    if (prepared !== undefined) for (const { id } of records) kept.add(id);
    return prepared;
  };
  return {
    async prepare(check, unsealed, xid) {
      const records = unsealed.map((record) => sealRecord(record, redactData));
      const prepared = await keep(records, xid);
      if (prepared !== undefined) return prepared;
      if (mayActUnheard(check, records, xid, kept)) return luggage.carry(records);
      throw new CheckError(watchReasons.noPlace);
    },
    async propose(records) {
      for (let from = 0; from < records.length; from += batchSize) {
        const batch = records.slice(from, from + batchSize).map((record) => sealRecord(record, redactData));
        const prepared = await keep(batch, undefined);
        await prepared?.settle('committed');
      }
    },
    carried: () => luggage.carried,
  };
}

/** Undefined where the history is away. */
async function keepBatch(
  { watch, history, run, systemIdentifier }: TrailOptions,
  actions: ActionRecord[],
  xid: string | undefined,
): Promise<PreparedActions | undefined> {
  const id = randomUUID();
  const batch = { id, run, systemIdentifier, actions, ...(xid === undefined ? {} : { xid }) };
  if ((await history.ask(() => watch.prepare(batch).then(() => true))) !== true) return undefined;
  return {
    async settle(fate) {
      // What is not settled now the next run finds.
      await awaitAtMost(settlePatienceMs, watch.settle(id, fate)).catch(() => {});
    },
  };
}

/** What the report of a run carries until the history is back; it has little room. */
function openLuggage() {
  const carried: ActionRecord[] = [];
  let reservedBytes = 0;
  return {
    carried,
    carry(records: ActionRecord[]): PreparedActions {
      const bytes = records.reduce((sum, record) => sum + weigh(record), 0);
      if (reservedBytes + bytes > mostCarriedBytes) throw new CheckError(watchReasons.noRoom);
      reservedBytes += bytes;
      return {
        async settle(fate) {
          if (fate === 'committed') carried.push(...records);
          else reservedBytes -= bytes;
        },
      };
    },
  };
}

const effective = new Set<ActionRecord['outcome']>(['cured', 'sent']);

/**
 * Whether something may be done that the history is not there to hear of: what leaves no trace in the watched database, or
 * is audited there in the same transaction. A request may have no effect before its intent is kept, and no end without a word.
 */
function mayActUnheard(
  { audit, remedy }: WatchdogCheck,
  records: ActionRecord[],
  xid: string | undefined,
  kept: ReadonlySet<string>,
): boolean {
  if (remedy !== undefined && 'request' in remedy) return records.every(({ id }) => kept.has(id));
  const hasEffect = xid !== undefined || records.some(({ outcome }) => effective.has(outcome));
  return !hasEffect || audit !== undefined;
}

function weigh(record: ActionRecord): number {
  return Buffer.byteLength(JSON.stringify(record)) + 1;
}
