import type { Readable, Writable } from 'node:stream';

/** What a command prints on one of its streams, on its way through. */
export interface Passage {
  bytes(): number;
  /** The last bytes of it. */
  tail(): Buffer;
  /** All of it; undefined where that is more than was to be kept. */
  whole(): Buffer | undefined;
  /** Whether the reader has not taken what it was given. */
  isHeld(): boolean;
  isClosed(): boolean;
  /** Lets go of the stream. */
  close(): void;
}

/**
 * Hands every byte on as it comes, no faster than it is read, and keeps the end of it. Where the reader goes away the
 * command is told so, as it would be without us.
 */
export function passOn(from: Readable, to: Writable, keep: { tailBytes: number; wholeBytes: number }): Passage {
  const mostKept = Math.max(keep.tailBytes, keep.wholeBytes);
  let chunks: Buffer[] = [];
  let kept = 0;
  let bytes = 0;
  let held = false;
  let closed = false;
  const resume = () => {
    held = false;
    from.resume();
  };
  from.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    kept += chunk.length;
    chunks.push(chunk);
    while (kept - (chunks[0]?.length ?? 0) >= mostKept) kept -= chunks.shift()?.length ?? 0;
    // Many small pieces would each take more room than what they hold.
    if (chunks.length > mostPieces) chunks = [Buffer.concat(chunks)];
    if (to.writable && !to.write(chunk)) {
      held = true;
      from.pause();
      to.once('drain', resume);
    }
  });
  const leave = () => from.destroy();
  to.once('error', leave);
  from.on('error', () => {});
  from.once('close', () => {
    closed = true;
    to.off('error', leave);
    to.off('drain', resume);
  });
  return {
    bytes: () => bytes,
    tail: () => Buffer.concat(chunks).subarray(-keep.tailBytes),
    whole: () => (bytes <= keep.wholeBytes ? Buffer.concat(chunks) : undefined),
    isHeld: () => held,
    isClosed: () => closed,
    close: () => from.destroy(),
  };
}

const mostPieces = 1_024;
