import type { DeclaredVariables } from '../expressions/variables.ts';
import { checkRequest } from './check-request.ts';
import { checkTargets, readTargetNames } from './check-targets.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { isMapping } from './mapping.ts';
import type { Remark } from './remark.ts';

/** Checks what concerns several keys of a sweep, as it was read; `budget` is the section of that name. */
export function checkSweep(sweep: unknown, budget: unknown, declared: DeclaredVariables): Remark[] {
  if (!isMapping(sweep)) return [];
  const { request, poll, each } = sweep;
  const seconds = isMapping(budget) && typeof budget['max_seconds'] === 'number' ? budget['max_seconds'] : undefined;
  const names = isMapping(each) ? readTargetNames(each) : undefined;
  const inRequest = names === undefined ? declared : { ...declared, findTargetFault: names.findTargetFault };
  const remarks: Remark[] = isMapping(request) ? checkRequest(request, ['sweep', 'request'], inRequest) : [];
  if (names?.isUsed() === false && remarks.length === 0 && isMapping(each) && each['targets'] !== undefined) {
    const message = 'no `${target}` stands in the request, so it is the same for every target';
    remarks.push({ path: ['sweep', 'each'], atKey: true, message, isWarning: true });
  }
  if (isMapping(poll)) remarks.push(...checkPoll(poll, seconds));
  if (isMapping(each)) remarks.push(...checkEach(each, seconds, declared));
  return remarks;
}

function checkPoll({ every, max_every: mostEvery }: Record<string, unknown>, seconds: number | undefined): Remark[] {
  const remarks: Remark[] = [];
  const everyMs = readMs(every ?? '5s');
  const mostMs = readMs(mostEvery);
  if (everyMs !== undefined && seconds !== undefined && everyMs >= seconds * 1_000) {
    const message = `the first poll would come after ${formatDuration(everyMs)}, and the budget ends with ${formatDuration(seconds * 1_000)}`;
    remarks.push({ path: ['sweep', 'poll', 'every'], message, hint: 'poll more often, or give it a larger budget' });
  }
  if (everyMs !== undefined && mostMs !== undefined && mostMs < everyMs) {
    const message = `\`max_every\` is shorter than \`every\` (${formatDuration(everyMs)}), and pauses only grow`;
    remarks.push({ path: ['sweep', 'poll', 'max_every'], message });
  }
  return remarks;
}

function readMs(text: unknown): number | undefined {
  const result = typeof text === 'string' ? parseDuration(text, false) : undefined;
  return result && 'ms' in result ? result.ms : undefined;
}

function checkEach(each: Record<string, unknown>, seconds: number | undefined, declared: DeclaredVariables): Remark[] {
  const { targets, request, key, per_target_seconds: perTarget } = each;
  const path = ['sweep', 'each'];
  const remarks: Remark[] = [];
  if (isMapping(request)) remarks.push(...checkRequest(request, [...path, 'request'], declared));
  if (Array.isArray(targets)) {
    remarks.push(...checkTargets(targets, typeof key === 'string' ? key : 'name', [...path, 'targets']));
    if (request !== undefined) {
      const hint = 'remove it, or write the targets as CEL over its answer';
      const message = 'the targets are listed, so nothing is requested';
      remarks.push({ path: [...path, 'request'], atKey: true, message, hint });
    }
  } else if (typeof targets === 'string' && request === undefined) {
    const message = 'the targets are CEL over the answer to a `request`, and there is none';
    const hint = 'add `request:` beside it, or write the targets as a list';
    remarks.push({ path: [...path, 'targets'], message, hint });
  }
  if (typeof perTarget === 'number' && seconds !== undefined && perTarget > seconds) {
    const message = `one target may take ${perTarget}s, and the budget of all of them is ${seconds}s`;
    remarks.push({ path: [...path, 'per_target_seconds'], message });
  }
  return remarks;
}
