import type { Command } from 'commander';
import { Refusal } from './refusal.ts';

/** What the operator waives by hand. */
export interface Waivers {
  /** Why definitions may be enabled without a canary; undefined where they may not. */
  uncanariedReason?: string;
  unretire?: boolean;
}

export interface WaiverFlags {
  allowUncanaried?: boolean;
  reason?: string;
  unretire?: boolean;
}

/** Adds the options by which a gate is waived. */
export function withWaivers(command: Command): Command {
  return command
    .option('--allow-uncanaried', 'enable also what no canary vouches for; needs --reason, and is journaled')
    .option('--reason <text>', 'why, for the journal')
    .option('--unretire', 'take up again what was retired');
}

/** @throws Refusal where a reason is missing, or given for nothing */
export function readWaivers({ allowUncanaried, reason, unretire }: WaiverFlags): Waivers {
  const isReasoned = reason !== undefined && reason.trim() !== '';
  if (allowUncanaried === true && !isReasoned) {
    throw new Refusal('--allow-uncanaried needs a reason', 'Say why, for the journal: --reason "..."');
  }
  if (allowUncanaried !== true && reason !== undefined) {
    throw new Refusal('--reason is for --allow-uncanaried', 'Without it there is nothing to give a reason for.');
  }
  return {
    ...(isReasoned ? { uncanariedReason: reason } : {}),
    ...(unretire === undefined ? {} : { unretire }),
  };
}
