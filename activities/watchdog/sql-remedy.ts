import type { Finding, Treated, Treatment } from './finding.ts';

/** Stands in until the remedies in SQL are merged. */
export async function treatBySql(_treatment: Treatment, _findings: readonly Finding[]): Promise<Treated[]> {
  throw new Error('not merged');
}
