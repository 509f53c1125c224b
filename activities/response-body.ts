import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { ExchangeError } from './exchange-fault.ts';

/** The most of a response that is read, in bytes as they are once they are unpacked. */
export const responseLimitBytes = 1_048_576;

/** What a request says it understands. */
export const acceptedEncodings = 'gzip, br';

/** What packing may add to bytes that do not shrink. */
const packingBytes = 65_536;

/** More layers than this nobody packs for a good reason. */
const mostLayers = 3;

type Unpack = (packed: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const unpackers: Record<string, Unpack> = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  br: promisify(brotliDecompress),
  // Servers disagree on whether "deflate" has the zlib header, whose first byte ends in 8.
  deflate: (packed, options) => promisify((packed[0] ?? 0) % 16 === 8 ? inflate : inflateRaw)(packed, options),
};

/** The bytes of a response as they come, up to the limit. */
export interface BodyBytes {
  /** @throws ExchangeError where the body is beyond the limit */
  add(chunk: Buffer): void;
  /** At once where it is not packed. @throws ExchangeError where it cannot be unpacked, or is beyond the limit then */
  readText(): string | Promise<string>;
}

/** Collects a body that is packed as its `content-encoding` says. */
export function collectBody(contentEncoding: string, origin: string): BodyBytes {
  const layers = contentEncoding === '' ? [] : readLayers(contentEncoding);
  const limitBytes = responseLimitBytes + (layers.length > 0 ? packingBytes : 0);
  const chunks: Buffer[] = [];
  let bytes = 0;
  return {
    add(chunk) {
      bytes += chunk.length;
      if (bytes > limitBytes) throw tooLarge(origin);
      chunks.push(chunk);
    },
    readText() {
      const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      return layers.length === 0 ? decoder.decode(body) : unpackText(body, layers, origin);
    },
  };
}

function readLayers(contentEncoding: string): string[] {
  return contentEncoding
    .toLowerCase()
    .split(',')
    .map((layer) => layer.trim())
    .filter((layer) => layer !== '' && layer !== 'identity');
}

const decoder = new TextDecoder();

async function unpackText(packed: Buffer, layers: string[], origin: string): Promise<string> {
  const body = await unpack(packed, layers, origin);
  if (body.length > responseLimitBytes) throw tooLarge(origin);
  return decoder.decode(body);
}

async function unpack(packed: Buffer, layers: string[], origin: string): Promise<Buffer> {
  if (layers.length > mostLayers) throw new ExchangeError(`${origin} packed its answer ${layers.length} times over`);
  let body = packed;
  for (const layer of layers.toReversed()) {
    const unpacker = unpackers[layer];
    if (unpacker === undefined)
      throw new ExchangeError(`${origin} answered in the encoding ${layer}, which was not asked for`);
    if (body.length === 0) break;
    try {
      body = await unpacker(body, { maxOutputLength: responseLimitBytes });
    } catch (error) {
      if (error instanceof RangeError) throw tooLarge(origin);
      throw new ExchangeError(`${origin} answered with a body that is not the ${layer} that it claims to be`, {
        cause: error,
      });
    }
  }
  return body;
}

function tooLarge(origin: string): ExchangeError {
  return new ExchangeError(
    `the response of ${origin} is larger than ${responseLimitBytes} bytes, the most that is read`,
  );
}
