import { isMapping } from './mapping.ts';
import type { Remark } from './remark.ts';

/** A notification comes from the database that a watchdog watches; a sweep has none. */
export function checkListen({ kind, schedule }: Record<string, unknown>): Remark[] {
  if (!isMapping(schedule)) return [];
  const { listen, debounce } = schedule;
  if (listen !== undefined && kind === 'sweep') {
    const message = 'the kind is sweep, and only a watchdog has a database to listen to';
    return [{ path: ['schedule', 'listen'], atKey: true, message, hint: 'remove it' }];
  }
  if (listen !== undefined || debounce === undefined) return [];
  const message = '`debounce` has no effect without `listen`';
  const hint = 'add `listen: CHANNEL`, or remove it';
  return [{ path: ['schedule', 'debounce'], atKey: true, message, hint, isWarning: true }];
}
