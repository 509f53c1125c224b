import type { Firing, WatchdogOrder } from '../../workflows/contract.ts';
import type { Variables } from '../variables.ts';
import type { Finding, Treated, Treatment } from './finding.ts';

/** What a remedy over HTTP needs: the treatment, and what a request is filled in with. */
export interface RequestRemedy {
  treatment: Treatment;
  order: WatchdogOrder;
  firing: Firing;
  variables: Variables;
  /** Where proxies are named, and the hosts that may be called. */
  environment: Record<string, string | undefined>;
}

/** Stands in until the remedies over HTTP are merged. */
export async function treatByRequest(_remedy: RequestRemedy, _findings: readonly Finding[]): Promise<Treated[]> {
  throw new Error('not merged');
}
