import { hash as digest } from 'node:crypto';
import type { CommonOrder, SweepOrder, WatchdogCheck, WatchdogOrder } from '../workflows/contract.ts';
import type { DstPolicy } from './dst.ts';

/** The part of an order that decides what a run does; its cadence without the clock changes written out. */
export type Behaviour = CommonBehaviour & SpecificBehaviour & { dst?: DstPolicy };

/** What the behaviours of all kinds have in common. */
export type CommonBehaviour = Pick<
  CommonOrder,
  'cadence' | 'misfire' | 'budget' | 'onFailure' | 'retry' | 'env' | 'secrets'
>;

/** What only one kind has. */
export type SpecificBehaviour =
  { kind: 'sweep'; sweep: SweepOrder['sweep'] } | { kind: 'watchdog'; watchdog: WatchdogOrder['watchdog'] };

/**
 * SHA-256 in hex of all that a file says, prose included: it changes with every word and not with the way the YAML is
 * written, the order of its keys, or the line ends.
 */
export function hashRevision(frontmatter: Record<string, unknown>, runbook: string): string {
  return hash({ frontmatter, runbook: runbook.replaceAll('\r\n', '\n').trimEnd() });
}

/**
 * SHA-256 in hex of what a canary vouches for. Whether it is enabled, its title, owner, labels, prose and the outside
 * sources that are expected to drive it are not part of it, nor is a default that is written out.
 */
export function hashContract(behaviour: Behaviour): string {
  return hash({ ...behaviour, env: behaviour.env.toSorted(), secrets: behaviour.secrets.toSorted() });
}

/** SHA-256 in hex of what a check finds and does, whatever its mode: what a dry run of it gives evidence for. */
export function hashCheck(behaviour: Omit<WatchdogCheck, 'mode' | 'contractHash'>): string {
  return hash(behaviour);
}

function hash(value: unknown): string {
  return digest('sha256', writeCanonical(value), 'hex');
}

/** The few keys that every definition has, as JSON. */
const keys = new Map<string, string>();
const mostKeys = 1_000;

function writeKey(key: string): string {
  const known = keys.get(key);
  if (known !== undefined) return known;
  const text = JSON.stringify(key);
  if (keys.size < mostKeys) keys.set(key, text);
  return text;
}

/** JSON with the keys of every object sorted, so that equal values are equal texts. `undefined` is left out. */
export function writeCanonical(value: unknown): string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return `${value}`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) {
    let items = '';
    for (const item of value) items += `${items === '' ? '' : ','}${writeCanonical(item)}`;
    return `[${items}]`;
  }
  const record = value as Record<string, unknown>;
  let text = '';
  for (const key of Object.keys(record).sort()) {
    const item = record[key];
    if (item !== undefined) text += `${text === '' ? '' : ','}${writeKey(key)}:${writeCanonical(item)}`;
  }
  return `{${text}}`;
}
