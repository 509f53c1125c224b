import type { ActionOutcome } from '../../workflows/contract.ts';
import type { Finding, Treated, Treatment } from './finding.ts';
import { CheckError } from './check-error.ts';
import { explainSqlFault } from './sql-fault.ts';
import { treatBatch } from './sql-remedy-batch.ts';
import { unfoldWith } from './sql-remedy-clauses.ts';
import { RemedyError, describeFault, isLockFault, readCode } from './sql-remedy-error.ts';
import { sqlRemedyReasons as reasons } from './sql-remedy-reasons.ts';
import { buildScript, describeInput, fetchOutcome } from './sql-remedy-script.ts';
import type { RemedyScript } from './sql-remedy-script.ts';
import { asWritten } from './sql-remedy-relation.ts';
import { readShape } from './sql-remedy-shape.ts';
import { CommitRefusedError, begin, end, giveUp, keep, recordAction, rollBack } from './sql-remedy-transaction.ts';

/** The most findings of one transaction; more subtransactions than Postgres keeps in shared memory slow down everybody. */
const most = { optimistic: 500, careful: 50 };
/** Rows stay locked for about so long. */
const transactionMs = 500;

/**
 * Acts on findings by a remedy in SQL, some hundred in a transaction, and under `sim` rolls back what it did. One that
 * fails or does not cure is rolled back alone; with `batch: true` they all are.
 *
 * @throws RemedyError where no finding can be acted on, with those that were before it; the signal's reason; what
 * `prepare` throws. What was committed before stays so.
 */
export async function treatBySql(treatment: Treatment, findings: readonly Finding[]): Promise<Treated[]> {
  const { check } = treatment;
  const [first] = findings;
  if (first === undefined) return [];
  if (check.remedy === undefined || !('sql' in check.remedy)) throw new Error('the remedy of this check is not in SQL');
  const shape = await readShape(treatment, check.remedy.sql, first);
  if (check.batch) return treatBatch(treatment, shape, findings);
  const run = { treatment, script: buildScript(treatment, shape), reason: shape.reason };
  // What a SELECT does, such as to end a session, a rollback does not undo: it is not tried twice.
  const isRepeatable = unfoldWith(shape.remedy.text).verb !== 'select';
  const treated: Treated[] = [];
  try {
    for await (const some of inParts(findings, isRepeatable ? most.optimistic : most.careful)) {
      const cured = isRepeatable ? await treatPart(run, some, 'optimistic') : undefined;
      if (cured) treated.push(...cured);
      else {
        for await (const few of inParts(some, most.careful)) {
          treated.push(...((await treatPart(run, few, 'careful')) ?? []));
        }
      }
    }
    return treated;
  } catch (error) {
    throw treatment.signal.aborted ? treatment.signal.reason : tellTreated(error, treated);
  }
}

/** What ends the treatment knows of the findings that were committed before it came. */
function tellTreated(error: unknown, treated: Treated[]): unknown {
  const message = error instanceof CheckError ? error.message : explainSqlFault(error);
  if (message === undefined) return error;
  const told = new RemedyError(message, { cause: error });
  told.treated = treated;
  return told;
}

/** Parts that take about as long as a transaction should, by how long the one before took. */
async function* inParts(findings: readonly Finding[], mostAtOnce: number): AsyncGenerator<readonly Finding[]> {
  let size = Math.min(100, mostAtOnce);
  for (let from = 0; from < findings.length;) {
    const part = findings.slice(from, from + size);
    const startedAt = performance.now();
    yield part;
    from += part.length;
    const wanted = Math.round((part.length * transactionMs) / (performance.now() - startedAt));
    size = Math.max(1, Math.min(wanted, mostAtOnce));
  }
}

interface RemedyRun {
  treatment: Treatment;
  script: RemedyScript;
  reason: string;
}

/** A row of the script's outcome. */
interface Outcome {
  outcome: 'cured' | 'gone' | 'locked' | 'failed' | 'not_cured' | 'too_many' | 'again';
  before: string | null;
  after: string | null;
  code: string | null;
  message: string | null;
  detail: string | null;
  xid: string | null;
}

/** One transaction; undefined where the optimistic one came upon something and is rolled back. */
async function treatPart(
  run: RemedyRun,
  findings: readonly Finding[],
  manner: 'optimistic' | 'careful',
): Promise<Treated[] | undefined> {
  const { treatment, script, reason } = run;
  const decisions = findings.map((finding) => treatment.decide(finding, reason));
  const described = findings.map((finding, index) =>
    describeInput(treatment.check.key, finding, decisions[index] ?? ''),
  );
  await begin(treatment, JSON.stringify({ constants: script.constants, findings: described }));
  let rows: Outcome[];
  try {
    await treatment.client.query(script[manner]);
    ({ rows } = await treatment.client.query<Outcome>({ text: fetchOutcome, types: asWritten }));
  } catch (error) {
    if (manner === 'optimistic' && isWorthAnotherTry(error) && !treatment.signal.aborted) {
      if (await rollBack(treatment)) return undefined;
    }
    throw await giveUp(treatment, error);
  }
  if (rows[0]?.outcome === 'again') {
    await rollBack(treatment);
    return undefined;
  }
  const treated = rows.flatMap((outcome, index) => {
    const finding = findings[index];
    return finding === undefined ? [] : [describe(treatment, finding, outcome, decisions[index] ?? '')];
  });
  return close(treatment, treated, rows[0]?.xid ?? undefined, manner);
}

/** Not a time limit or a cancel: another try would end the same way. */
function isWorthAnotherTry(error: unknown): boolean {
  const code = readCode(error);
  return code !== undefined && code !== '57014';
}

function describe(treatment: Treatment, finding: Finding, row: Outcome, decision: string): Treated {
  const error = findError(treatment, row);
  if (row.outcome === 'gone' || row.outcome === 'locked') return { finding, outcome: row.outcome };
  if (isLockFault(row.code ?? '')) return { finding, outcome: 'locked', error: reasons.lockedElsewhere };
  const outcome = nameOutcome(treatment, row.outcome);
  const told = error === undefined ? {} : { error };
  const record = recordAction(treatment, { finding, outcome, decision, before: row.before, after: row.after, ...told });
  return { finding, outcome, record, ...told };
}

function nameOutcome({ mode }: Treatment, outcome: Outcome['outcome']): ActionOutcome {
  if (outcome === 'cured') return mode === 'sim' ? 'simulated' : 'cured';
  return outcome === 'not_cured' ? 'not_cured' : 'failed';
}

function findError({ check }: Treatment, { outcome, code, message, detail }: Outcome): string | undefined {
  if (outcome === 'not_cured') return reasons.notCured;
  if (outcome === 'too_many') return reasons.tooManyRows(check.maxRows);
  if (code === null || message === null) return undefined;
  return describeFault({ code, message, detail });
}

async function close(
  treatment: Treatment,
  treated: Treated[],
  xid: string | undefined,
  manner: 'optimistic' | 'careful',
): Promise<Treated[] | undefined> {
  const recordsOf = (some: Treated[]) => some.flatMap(({ record }) => (record === undefined ? [] : [record]));
  try {
    await end(treatment, recordsOf(treated), xid);
    return treated;
  } catch (error) {
    if (!(error instanceof CommitRefusedError)) throw error;
    if (manner === 'optimistic') return undefined;
    const failed = treated.map((one) => failAll(one, error.message));
    await keep(treatment, recordsOf(failed));
    return failed;
  }
}

/** What the server did not commit is as if nothing had been done. */
function failAll(treated: Treated, error: string): Treated {
  const { finding, record } = treated;
  if (record === undefined || record.outcome !== 'cured') return treated;
  return { finding, outcome: 'failed', error, record: { ...record, outcome: 'failed', after: null, error } };
}
