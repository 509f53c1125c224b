import type { ActionRecord } from '../../workflows/contract.ts';
import { type Redact, createRedactor } from '../redaction.ts';
import type { Secret } from './address.ts';

/** Shorter ones would take parts of innocent values away, and what a triplet says must be exact. */
const shortestInData = 8;

/** Takes secrets out of what comes from the watched database; those that would be found there by chance are left alone. */
export function createDataRedactor(secrets: Secret[]): Redact {
  return createRedactor(secrets.filter(([, value]) => value.length >= shortestInData));
}

/** JSON text without secrets, and still JSON: a secret that was part of a number takes the whole value with it. */
export function sealJson(json: string, redact: Redact): string {
  const sealed = redact(json);
  if (sealed === json) return json;
  try {
    JSON.parse(sealed);
    return sealed;
  } catch {
    return '"[redacted]"';
  }
}

/** A triplet as it may leave the worker. */
export function sealRecord(record: ActionRecord, redact: Redact): ActionRecord {
  const { findingKey, before, after, decision, error } = record;
  return {
    ...record,
    findingKey: sealJson(findingKey, redact),
    before: before === null ? null : sealJson(before, redact),
    after: after === null ? null : sealJson(after, redact),
    decision: sealJson(decision, redact),
    ...(error === undefined ? {} : { error: redact(error) }),
  };
}
