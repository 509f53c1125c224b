import type { Command } from 'commander';
import { Refusal } from './refusal.ts';

/** What the operator waives by hand. */
export interface Waivers {
  /** Why definitions may be enabled without a canary; undefined where they may not. */
  uncanariedReason?: string;
  /** Why checks may act of which no dry run has shown what they would do. */
  unprovenReason?: string;
  unretire?: boolean;
}

/** How definitions are let through to the server. */
export interface Admission extends Waivers {
  /** Makes what the gate would refuse as something that is not enabled, where nothing runs yet. */
  hold?: boolean;
  /** How long another command that changes schedules is waited for, at most. */
  patienceMs?: number;
}

export interface WaiverFlags {
  allowUncanaried?: boolean;
  allowUnproven?: boolean;
  reason?: string;
  unretire?: boolean;
}

/** Adds the options by which a gate is waived. */
export function withWaivers(command: Command): Command {
  return command
    .option('--allow-uncanaried', 'enable also what no canary vouches for; needs --reason, and is journaled')
    .option('--allow-unproven', 'let checks act that have no dry run; needs --reason, and is journaled')
    .option('--reason <text>', 'why, for the journal')
    .option('--unretire', 'take up again what was retired');
}

/** @throws Refusal where a reason is missing, or given for nothing */
export function readWaivers({ allowUncanaried, allowUnproven, reason, unretire }: WaiverFlags): Waivers {
  const allowed = [
    ...(allowUncanaried === true ? ['--allow-uncanaried'] : []),
    ...(allowUnproven === true ? ['--allow-unproven'] : []),
  ];
  const isReasoned = reason !== undefined && reason.trim() !== '';
  if (allowed.length > 0 && !isReasoned) {
    throw new Refusal(
      `${allowed.join(' and ')} ${allowed.length === 1 ? 'needs' : 'need'} a reason`,
      'Say why, for the journal: --reason "..."',
    );
  }
  if (allowed.length === 0 && reason !== undefined) {
    throw new Refusal(
      '--reason is for --allow-uncanaried and --allow-unproven',
      'Without them there is nothing to give a reason for.',
    );
  }
  return {
    ...(allowUncanaried === true && isReasoned ? { uncanariedReason: reason } : {}),
    ...(allowUnproven === true && isReasoned ? { unprovenReason: reason } : {}),
    ...(unretire === undefined ? {} : { unretire }),
  };
}
