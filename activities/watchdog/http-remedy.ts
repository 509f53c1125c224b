import { TemplateError } from '../../expressions/template.ts';
import type { ActionRecord } from '../../workflows/contract.ts';
import { openAccount } from '../account.ts';
import { openHostGuard } from '../host-guard.ts';
import { type HttpRequest, openHttpClient } from '../http-client.ts';
import { buildRequest, renderTlsFiles } from '../request.ts';
import { rehearseAudit, writeAudit } from './http-remedy-audit.ts';
import { CheckError } from './check-error.ts';
import { nameAction } from './proposal.ts';
import type { Finding, PreparedActions, Treated, Treatment } from './finding.ts';
import { httpRemedyReasons } from './http-remedy-reasons.ts';
import { type OpenedRemedy, type RequestEnd, type RequestRemedy, sendInTime } from './http-remedy-request.ts';
import { explainSqlFault } from './sql-fault.ts';
import { RemedyError } from './sql-remedy-error.ts';

export type { RequestRemedy } from './http-remedy-request.ts';

/**
 * Makes one request for each finding, one after the other. Before a request is sent, its triplet is kept as one whose end
 * is unknown, and replaced once the answer is in; so a worker that dies in between leaves word of what it may have done.
 * Where the check has an audit, that is tried and rolled back first: nothing is sent that could not be audited.
 *
 * @throws RemedyError, with those that were before it, where the audit could not be written, the session is gone, or
 * `prepare` throws a CheckError; the signal's reason; ExchangeError and TemplateError about certificate files.
 */
export async function treatByRequest(remedy: RequestRemedy, findings: readonly Finding[]): Promise<Treated[]> {
  const { treatment, environment } = remedy;
  const stated = treatment.check.remedy;
  if (stated === undefined || !('request' in stated)) throw new Error('the remedy of this check is no request');
  if (treatment.mode !== 'auto') throw new Error('a request cannot be rolled back, so it cannot be simulated');
  const [first] = findings;
  if (first === undefined) return [];
  const template = stated.request;
  const tls = renderTlsFiles(template, openScope(remedy));
  const client = await openHttpClient({ tls, guard: openHostGuard(environment), environment });
  const opened: OpenedRemedy = { ...remedy, template, client };
  const treated: Treated[] = [];
  try {
    await rehearseAudit(treatment, first, openRecord(opened, first, httpRemedyReasons.endUnknown));
    for (const finding of findings) treated.push(await treatOne(opened, finding));
    return treated;
  } catch (error) {
    throw tellTreated(error, treated);
  } finally {
    await client.close();
  }
}

/** What broke the treatment off in a way that an operator can set right, with what was done before it. */
function tellTreated(error: unknown, treated: Treated[]): unknown {
  const message = error instanceof CheckError ? error.message : explainSqlFault(error);
  return message === undefined ? error : Object.assign(new RemedyError(message, { cause: error }), { treated });
}

function openScope({ treatment, order, firing, variables }: RequestRemedy) {
  return { order, firing, values: variables.values, idempotencyKey: treatment.runId };
}

/** The triplet of a request as long as nobody knows how it ended. */
function openRecord({ treatment }: OpenedRemedy, finding: Finding, reason: string): ActionRecord {
  const { check, mode } = treatment;
  return {
    id: nameAction(treatment.runId, check.name, finding.key),
    checkName: check.name,
    findingKey: finding.key,
    action: check.action ?? check.name,
    mode,
    outcome: 'failed',
    before: finding.json,
    after: null,
    decision: treatment.decide(finding, reason),
    error: httpRemedyReasons.endUnknown,
    at: treatment.now().toISOString(),
  };
}

async function treatOne(opened: OpenedRemedy, finding: Finding): Promise<Treated> {
  const { treatment, template, variables } = opened;
  const { redact } = variables;
  const idempotencyKey = nameAction(treatment.runId, treatment.check.name, finding.key);
  let request: HttpRequest;
  try {
    request = buildRequest(template, { ...openScope(opened), finding, idempotencyKey });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    // Nothing was tried, so there is nothing to audit.
    return { finding, outcome: 'failed', error: redact(error.message) };
  }
  const line = redact(`${request.method} ${request.url}`);
  const record = openRecord(opened, finding, httpRemedyReasons.requested(line));
  const intent = await treatment.prepare([record], undefined);
  const end = await send(opened, request, intent);
  const ended: ActionRecord = { ...record, outcome: end.fault === undefined ? 'sent' : 'failed', after: end.after };
  delete ended.error;
  if (end.fault !== undefined) ended.error = redact(end.fault);
  const unaudited = end.isHarmless ? undefined : await writeAudit(treatment, finding, ended);
  if (unaudited !== undefined) {
    ended.outcome = 'failed';
    ended.error = redact(
      httpRemedyReasons.notAudited(ended.error ?? httpRemedyReasons.answered(end.status), unaudited),
    );
  }
  await keep(treatment, ended, intent);
  const { outcome, error } = ended;
  return { finding, outcome, record: ended, ...(error === undefined ? {} : { error }) };
}

/** The intent goes first: of a worker that dies in between, what is left says how the request ended. */
async function keep(treatment: Treatment, ended: ActionRecord, intent: PreparedActions): Promise<void> {
  let kept: PreparedActions;
  try {
    kept = await treatment.prepare([ended], undefined);
  } catch (error) {
    await intent.settle('committed');
    throw error;
  }
  await intent.settle('aborted');
  await kept.settle('committed');
}

/** Sends it; what interrupts the run leaves the intent as all that is known, unless nothing has gone out. */
async function send(opened: OpenedRemedy, request: HttpRequest, intent: PreparedActions): Promise<RequestEnd> {
  const account = openAccount(0);
  try {
    // The session holds the definition's lock; a worker that was frozen may have lost both by now.
    await opened.treatment.client.query('SELECT');
    return await sendInTime({ ...opened, account }, request);
  } catch (error) {
    await intent.settle(account.hasSent ? 'committed' : 'aborted');
    throw error;
  }
}
