import type { Finding, Treated, Treatment } from './finding.ts';
import type { RemedyShape } from './sql-remedy-shape.ts';
export async function treatBatch(_t: Treatment, _s: RemedyShape, _f: readonly Finding[]): Promise<Treated[]> {
  return [];
}
