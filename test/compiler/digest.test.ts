import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Document, parseDocument } from 'yaml';
import { writeCanonical } from '../../compiler/digest.ts';
import { change, compileGood, sample } from './sample.ts';

function hashesOf(text: string): { revision: string; contractHash: string } {
  const { revision, contractHash } = compileGood(text).order;
  return { revision, contractHash };
}

const original = hashesOf(sample);

function shuffleKeys(value: unknown, turn: number): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => shuffleKeys(item, turn));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => [key, shuffleKeys(item, turn)] as const);
  const cut = entries.length === 0 ? 0 : turn % entries.length;
  return Object.fromEntries([...entries.slice(cut), ...entries.slice(0, cut)].reverse());
}

test('canonical JSON does not depend on the order of keys', () => {
  const law = fc.property(fc.jsonValue(), fc.nat(20), (value, turn) => {
    expect(writeCanonical(shuffleKeys(value, turn))).toBe(writeCanonical(value));
    expect(JSON.parse(writeCanonical(value))).toEqual(JSON.parse(JSON.stringify(value)));
  });
  fc.assert(law);
});

describe('writing the same in another way changes neither hash', () => {
  const yaml = sample.split('---\n')[1] ?? '';
  const data: unknown = parseDocument(yaml).toJS();
  const rewrite = (block: string): string => change(yaml, block.endsWith('\n') ? block : `${block}\n`);

  test.each([0, 1, 2, 3, 5, 8])('keys in another order (%i)', (turn) => {
    expect(hashesOf(rewrite(new Document(shuffleKeys(data, turn)).toString()))).toEqual(original);
  });

  test('flow style, JSON and quotes', () => {
    expect(hashesOf(rewrite(JSON.stringify(data, null, 2)))).toEqual(original);
    expect(
      hashesOf(rewrite(new Document(data).toString({ defaultStringType: 'QUOTE_SINGLE', defaultKeyType: 'PLAIN' }))),
    ).toEqual(original);
  });

  test('comments, blank lines, CRLF, a byte order mark and blank lines at the end', () => {
    expect(hashesOf(change('owner: team', '# who\n\nowner:   team  # us'))).toEqual(original);
    expect(hashesOf(`\uFEFF${sample.replaceAll('\n', '\r\n')}\r\n\r\n`)).toEqual(original);
  });
});

describe('what changes the revision and leaves the contract', () => {
  test.each([
    ['owner: team', 'owner: others'],
    ['Nightly sweep', 'Another title'],
    ['owner: team', 'owner: team\nenabled: true'],
    ['owner: team', 'owner: team\nlabels: { tier: gold }'],
    ['owner: team', 'owner: team\nretention: { runs: 90d, count: 10000 }'],
    ['owner: team', 'owner: team\nsources: { local-timer: { every: 1h } }'],
    ['# What this does', '# What this did'],
    ['{ max_seconds: 300 }', '{ max_seconds: 300, hard_timeout: 6m }'],
    ['"0 3 * * *"', '"00 3 * * 0-6"'],
  ])('%s as %s', (from, to) => {
    const changed = hashesOf(change(from, to));
    expect(changed.contractHash).toBe(original.contractHash);
    expect(changed.revision).not.toBe(original.revision);
  });
});

describe('what changes the contract', () => {
  test.each([
    ['"0 3 * * *"', '"0 4 * * *"'],
    ['"0 3 * * *"', '"0 3 * * *", timezone: Europe/Berlin'],
    ['"0 3 * * *"', '"0 3 * * *", jitter: 1s'],
    ['max_seconds: 300', 'max_seconds: 301'],
    ['owner: team', 'owner: team\nmisfire_policy: run_once'],
    ['owner: team', 'owner: team\nmisfire_grace: 61s'],
    ['owner: team', 'owner: team\non_failure: fail'],
    ['owner: team', 'owner: team\nretry: { attempts: 2 }'],
    ['env: [HUB_URL]', 'env: [HUB_URL, OTHER]'],
    ['method: POST', 'method: PUT'],
    ['/sweep', '/sweeps'],
    ['Bearer', 'Token'],
    ['body: { max_seconds:', 'body: { seconds:'],
    ['"lock_skipped"', '"locked"'],
  ])('%s as %s', (from, to) => {
    const changed = hashesOf(change(from, to));
    expect(changed.contractHash).not.toBe(original.contractHash);
    expect(changed.revision).not.toBe(original.revision);
  });

  test('the order in which variables are listed does not', () => {
    const one = change('env: [HUB_URL]', 'env: [HUB_URL, OTHER]');
    const two = change('env: [HUB_URL]', 'env: [OTHER, HUB_URL]');
    expect(hashesOf(one).contractHash).toBe(hashesOf(two).contractHash);
  });
});

test('a definition that uses no newer key keeps the contract that its canary vouched for', () => {
  expect(compileGood(sample).order.contractHash).toBe(
    '31e254fdc3dd8db33511267b21d565cdc936587060c71bcb6fda9b7d2b2d946b',
  );
});
