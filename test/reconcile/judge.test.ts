import { expect, it } from 'vitest';
import type { Execution } from '../../reconcile/executions.ts';
import { judgeSilence } from '../../reconcile/judge.ts';
import type { OwnFacts } from '../../reconcile/judge.ts';
import { defineSweep } from '../support/definitions.ts';

const ms = (time: string) => Date.parse(`2026-03-01T${time}Z`);

/** What is concluded of the silent tick of 12:00 of a definition with a grace of 10 s, beside the execution of another. */
function judge(scheduled: string, start: string, close?: string) {
  const { order } = defineSweep('test.judged', { schedule: '{ every: 1m }', misfire_grace: '10s' });
  const tickMs = ms('12:00:00');
  const period = { fromMs: 0, toMs: Infinity, revision: order.revision, endsExactly: true, isRetired: false };
  const execution: Execution = {
    ...{ workflowId: 'test.judged-other', runId: 'r', definitionId: 'test.judged', revision: '', outcome: '' },
    ...{ scheduledMs: ms(scheduled), startMs: ms(start) },
    ...(close === undefined ? {} : { closeMs: ms(close) }),
  };
  const facts: OwnFacts = {
    ...{ uuid: order.definition.uuid, definitionId: 'test.judged', expected: new Map(), rows: [], pauses: [] },
    ...{ executions: [execution], settledMs: ms('23:00:00'), keptSinceMs: 0, explainMissed: () => 'nothing fired' },
  };
  const { remedy } = judgeSilence({ tickMs, order, period }, facts);
  return remedy.kind === 'conclude' ? remedy.outcome : remedy.kind;
}

it('the run of an earlier tick was in the way while it was open, or had ended within the second', () => {
  expect(judge('11:58:00', '11:58:00', '12:00:30')).toBe('overlap_skipped');
  expect(judge('11:58:00', '11:58:00')).toBe('overlap_skipped');
  expect(judge('11:59:00', '11:59:00', '11:59:59.500')).toBe('overlap_skipped');
  expect(judge('11:59:00', '11:59:00', '11:59:30')).toBe('missed');
});

it('a run that began after the tick was in the way where the server made up for what was late', () => {
  expect(judge('11:59:30', '12:00:20', '12:00:21')).toBe('overlap_skipped');
  expect(judge('11:59:00', '12:00:10', '12:00:11')).toBe('overlap_skipped');
});

it('a backfilled run was not in the way of ticks before it', () => {
  expect(judge('03:00:00', '15:00:00', '15:00:01')).toBe('missed');
  expect(judge('03:00:00', '11:59:59', '12:00:01')).toBe('overlap_skipped');
});
