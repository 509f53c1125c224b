import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { makeTick } from '../history/support/history.ts';
import { defineSweep } from '../support/definitions.ts';
import { conduct, makeActivities } from './support/conduct.ts';
import { head, startRawServer } from './support/raw-server.ts';
import { history, setStage } from './support/stage.ts';
import { slackMs } from '../support/slack.ts';

setStage();

const mebibyte = 1_048_576;
const chunk = Buffer.alloc(65_536, 'x');

function pour(socket: Socket, leftBytes: number): void {
  while (leftBytes > 0 && !socket.destroyed) {
    leftBytes -= chunk.length;
    if (socket.write(chunk)) continue;
    socket.once('drain', () => pour(socket, leftBytes));
    return;
  }
}

const isTooLarge = /is larger than 1048576 bytes, the most that is read/;
const isTimedOut = /^the target had not answered by the hard timeout of 2 s; the request was aborted$/;

it.concurrent.for<[string, (socket: Socket) => unknown, { outcome: string; reason: RegExp; scheme?: string }]>([
  ['hangs', () => {}, { outcome: 'timed_out', reason: isTimedOut }],
  [
    'trickles a byte a second',
    (socket) => {
      socket.write(head('200 OK', { 'content-length': 900 }));
      const timer = setInterval(() => socket.write('x'), 1_000);
      socket.once('close', () => clearInterval(timer));
    },
    { outcome: 'timed_out', reason: isTimedOut },
  ],
  [
    'sends 200 MiB',
    (socket) => {
      socket.write(head('200 OK', { 'content-length': 200 * mebibyte }));
      pour(socket, 200 * mebibyte);
    },
    { outcome: 'automation_error', reason: isTooLarge },
  ],
  [
    'sends without end',
    (socket) => {
      socket.write(head('200 OK', { connection: 'close' }));
      pour(socket, Infinity);
    },
    { outcome: 'automation_error', reason: isTooLarge },
  ],
  [
    'redirects to a metadata address',
    (socket) => socket.write(head('302 Found', { location: 'http://169.254.169.254/latest', 'content-length': 0 })),
    { outcome: 'automation_error', reason: /a redirect to http:\/\/169\.254\.169\.254\/latest, which is not followed/ },
  ],
  [
    'speaks no TLS where it should',
    (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    { outcome: 'automation_error', reason: /could not be talked to in TLS/, scheme: 'https' },
  ],
])('a target that %s: the sweep ends within its budget, and the socket is closed', async ([, serve, wanted]) => {
  const server = await startRawServer(serve);
  const url = server.url.replace('http', wanted.scheme ?? 'http');
  const { order } = defineSweep(`test.hostile-${randomUUID().slice(0, 8)}`, {
    budget: '{ max_seconds: 2, hard_timeout: 2s }',
  });
  const firing = makeTick({ trigger: 'canary', scheduledAt: new Date().toISOString(), workflowRunId: randomUUID() });
  const startedAt = performance.now();
  const report = await conduct(makeActivities(history, url), order, firing).report;
  await server.firstClosed;
  expect(performance.now() - startedAt).toBeLessThan(3_000 + slackMs);
  expect(report).toMatchObject({ outcome: wanted.outcome, exitCode: 1, recorded: true });
  expect(report.reason).toMatch(wanted.reason);
  expect(server.connections()).toBe(1);
  await server.close();
});
