import { describe, expect, it } from 'vitest';
import { readOutage, readSpan } from '../../simulation/time-text.ts';
import { openZone } from '../../ticks/zone.ts';

const berlin = openZone('Europe/Berlin');
const now = Date.parse('2026-03-28T11:30:15.400Z');

function spanOf(from?: string, to?: string, zone = berlin): string {
  const span = readSpan(from, to, zone, now);
  return 'fault' in span ? span.fault : [span.fromMs, span.toMs].map((ms) => new Date(ms).toISOString()).join(' ');
}

const span = { fromMs: Date.parse('2026-03-28T23:00:00Z'), toMs: Date.parse('2026-03-31T22:00:00Z') };

function outageOf(text: string, zone = berlin): string {
  const outage = readOutage(text, 'server', zone, span);
  if ('fault' in outage) return outage.fault;
  return [outage.fromMs, outage.toMs].map((ms) => new Date(ms).toISOString()).join(' ');
}

describe('a span', () => {
  it.each([
    [undefined, undefined, '2026-03-28T11:30:15.000Z 2026-03-29T11:30:15.000Z'],
    ['now', '+90m', '2026-03-28T11:30:15.000Z 2026-03-28T13:00:15.000Z'],
    ['02:00', '06:00', '2026-03-28T01:00:00.000Z 2026-03-28T05:00:00.000Z'],
    ['22:00', '06:00', '2026-03-28T21:00:00.000Z 2026-03-29T04:00:00.000Z'],
    ['2026-03-29', undefined, '2026-03-28T23:00:00.000Z 2026-03-29T23:00:00.000Z'],
    ['2026-03-29', '2026-03-30', '2026-03-28T23:00:00.000Z 2026-03-29T22:00:00.000Z'],
    ['2026-03-29T01:59:59', '2026-03-29 03:00', '2026-03-29T00:59:59.000Z 2026-03-29T01:00:00.000Z'],
    [
      '2026-03-29T02:00Z',
      '2026-03-29T06:00+05:30',
      'the simulation ends before it begins: 2026-03-29T00:30:00.000Z is not after 2026-03-29T02:00:00.000Z',
    ],
    ['2026-03-29T00:00Z', '2026-03-29T06:00+05:30', '2026-03-29T00:00:00.000Z 2026-03-29T00:30:00.000Z'],
    [
      '2026-03-29',
      '2026-03-29',
      'the simulation ends before it begins: 2026-03-28T23:00:00.000Z is not after 2026-03-28T23:00:00.000Z',
    ],
    ['tomorrow', undefined, '--from tomorrow is not a time'],
    ['24:00', undefined, '--from 24:00 is not a time'],
    ['12:60', undefined, '--from 12:60 is not a time'],
    ['2026-02-30', undefined, '--from 2026-02-30 is not a time'],
    ['2026-02-30T10:00', undefined, '--from 2026-02-30T10:00 is not a time'],
    ['2026-02-20T10:00+99:00', undefined, '--from 2026-02-20T10:00+99:00 is not a time'],
    ['10:00Z', undefined, '--from 10:00Z is not a time'],
    [undefined, '+1', '--to +1 is not a time'],
    [undefined, '+', '--to + is not a time'],
    [undefined, '+24h junk', '--to +24h junk is not a time'],
    [undefined, '', '--to  is not a time'],
  ])('from %s to %s: %s', (from, to, expected) => {
    expect(spanOf(from, to)).toBe(expected);
  });

  it('says what is allowed', () => {
    expect(readSpan('x', undefined, berlin, now)).toMatchObject({
      allowed: expect.stringContaining('2026-03-29T02:50Z'),
    });
    expect(readSpan(undefined, 'x', berlin, now)).toMatchObject({ allowed: expect.stringContaining('+24h') });
  });
});

describe('an outage', () => {
  it.each([
    ['02:50-03:20', '2026-03-29T01:00:00.000Z 2026-03-29T01:20:00.000Z', 'it begins in the hour that the clocks skip'],
    ['04:00-05:30', '2026-03-29T02:00:00.000Z 2026-03-29T03:30:00.000Z', 'the first such time'],
    ['23:50-00:20', '2026-03-28T22:50:00.000Z 2026-03-28T23:20:00.000Z', 'the one that reaches into the span'],
    ['23:10-23:50', '2026-03-29T21:10:00.000Z 2026-03-29T21:50:00.000Z', 'the one before has passed'],
    ['2026-03-30T02:50-2026-03-30T03:20', '2026-03-30T00:50:00.000Z 2026-03-30T01:20:00.000Z', 'with dates'],
    ['2026-03-30T23:50-00:20', '2026-03-30T21:50:00.000Z 2026-03-30T22:20:00.000Z', 'the end is the next such time'],
    ['2026-03-30 02:50Z/2026-03-30 03:20Z', '2026-03-30T02:50:00.000Z 2026-03-30T03:20:00.000Z', 'in UTC'],
    [
      '02:50:10-02:50:20',
      '2026-03-30T00:50:10.000Z 2026-03-30T00:50:20.000Z',
      'skipped by the clocks on the first day',
    ],
    ['2026-03-20T02:50-03:20', '--outage 2026-03-20T02:50-03:20 is outside of the simulation', 'before the span'],
    [
      '2026-03-31T23:59-2026-04-02T00:00',
      '2026-03-31T21:59:00.000Z 2026-04-01T22:00:00.000Z',
      'it may end after the span',
    ],
    ['2026-04-01T00:00-03:20', '--outage 2026-04-01T00:00-03:20 is outside of the simulation', 'the span is over'],
    ['2026-03-30T03:20-2026-03-30T02:50', 'ends before it begins', 'turned round'],
    ['02:50', '--outage 02:50 is not a span of time', 'half of it'],
    ['02:50-2026-03-30T03:20', '--outage 02:50-2026-03-30T03:20 is not a span of time', 'a date at its end only'],
    ['2-3', '--outage 2-3 is not a span of time', 'hours'],
    ['25:00-26:00', '--outage 25:00-26:00 is not a span of time', 'no such hour'],
    ['2026-02-30T02:50-03:20', '--outage 2026-02-30T02:50-03:20 is not a span of time', 'no such day'],
    ['', '--outage  is not a span of time', 'nothing'],
  ])('%s is %s: %s', (text, expected) => {
    expect(outageOf(text)).toContain(expected);
  });

  it.each([
    ['Europe/Berlin', '2026-10-25T02:30', '2026-10-25T00:30:00.000Z'],
    ['Europe/Berlin', '2026-10-25T03:00', '2026-10-25T02:00:00.000Z'],
    ['Europe/Berlin', '2026-10-25T01:59', '2026-10-24T23:59:00.000Z'],
    ['America/New_York', '2026-11-01T01:30', '2026-11-01T05:30:00.000Z'],
    ['America/New_York', '2026-03-08T02:30', '2026-03-08T07:00:00.000Z'],
    ['America/New_York', '2026-03-08T03:00', '2026-03-08T07:00:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-05T01:45', '2026-04-04T14:45:00.000Z'],
    ['Asia/Kolkata', '2026-04-05T01:45', '2026-04-04T20:15:00.000Z'],
  ])(
    'in %s %s is %s: of a repeated time the first, for a skipped one the moment of the skip',
    (zone, text, expected) => {
      expect(spanOf(text, '+1h', openZone(zone)).split(' ')[0]).toBe(expected);
    },
  );

  it('of 24 hours from one time of day to the same is a day', () => {
    expect(outageOf('04:00-04:00', openZone('UTC'))).toBe('2026-03-28T04:00:00.000Z 2026-03-29T04:00:00.000Z');
  });
});
