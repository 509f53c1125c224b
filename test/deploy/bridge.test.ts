import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTarget, healthy, sendJson } from '../support/target.ts';
import type { Target } from '../support/target.ts';
import { findNginx, startBridge } from './support/nginx.ts';
import type { Bridge } from './support/nginx.ts';

const nginx = await findNginx();
const reason = 'missing' in nginx ? ` (skipped: ${nginx.missing})` : '';
const file = 'file' in nginx ? nginx.file : '';

/** As long as a sweep that takes its time. */
const sweepMs = 90_000;

describe.skipIf('missing' in nginx)(`the bridge to a State Hub${reason}`, () => {
  let target: Target;
  let bridge: Bridge;
  beforeAll(async () => {
    target = await startTarget();
    bridge = await startBridge(file, target.url);
  });
  afterAll(async () => {
    await bridge?.stop();
    await target.close();
  });

  const post = (base: string, body: string) => fetch(`${base}/consistency/sweep?full=1`, { method: 'POST', body });

  it('a POST that is answered after 90 s passes; where the read timeout is 5 s it does not', async () => {
    const hasty = await startBridge(file, target.url, (text) =>
      text.replace('proxy_read_timeout 360s', 'proxy_read_timeout 5s'),
    );
    target.answer = async (_, response) => {
      await sleep(sweepMs, undefined, { ref: false });
      if (!response.destroyed) sendJson(response, healthy);
    };
    const begunAt = Date.now();
    const patient = post(bridge.url, '{"max_seconds":300}');
    expect((await post(hasty.url, '{}')).status).toBe(504);
    expect(Date.now() - begunAt).toBeLessThan(sweepMs / 2);
    await hasty.stop();
    const response = await patient;
    expect(Date.now() - begunAt).toBeGreaterThanOrEqual(sweepMs);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(healthy);
    const call = target.calls.find(({ body }) => body === '{"max_seconds":300}');
    expect(call).toMatchObject({ path: '/consistency/sweep?full=1' });
    expect(call?.headers.host).toBe(new URL(target.url).host);
  }, 150_000);

  it.for([
    ['/', '/consistency/sweep?full=1'],
    ['/hub/', '/hub/consistency/sweep?full=1'],
    ['/hub', '/hub/consistency/sweep?full=1'],
  ])('an address that ends in %s changes no path behind it', async ([ending = '', path]) => {
    const other = await startBridge(file, `${target.url}${ending}`);
    target.answer = (_, response) => sendJson(response, healthy);
    expect((await post(other.url, '{}')).status).toBe(200);
    expect(target.calls.at(-1)).toMatchObject({ path });
    await other.stop();
  });

  it('nothing is gathered on its way: a part of the answer arrives while the target still works', async () => {
    let finish = () => {};
    target.answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' }).write('{"done":1}\n');
      finish = () => response.end('{"done":2}\n');
    };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request(`${bridge.url}/stream`, { method: 'POST' }, resolve).on('error', reject).end('{}');
    });
    const chunks: string[] = [];
    for await (const chunk of response) {
      chunks.push(String(chunk));
      if (chunks.length === 1) finish();
    }
    expect(chunks).toEqual(['{"done":1}\n', '{"done":2}\n']);
  });

  it('a request that broke off is not repeated', async () => {
    const before = target.calls.length;
    target.answer = (_, response) => {
      response.destroy();
    };
    expect((await post(bridge.url, '{}')).status).toBe(502);
    expect(target.calls.length - before).toBe(1);
  });

  it('its own health is asked of it alone, also while the State Hub is away', async () => {
    const lonely = await startBridge(file, 'http://127.0.0.1:1');
    const response = await fetch(`${lonely.url}/bridge/healthz`);
    expect(await response.text()).toBe('ok\n');
    expect((await post(lonely.url, '{}')).status).toBe(502);
    await lonely.stop();
  });
});
