#!/usr/bin/env node
import { exitCodes } from './refusal.ts';
import { runCli } from './program.ts';

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt.abort());

let readerLeft = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that went away (`actcore runs | head`) has what it wants.
  readerLeft = error.code === 'EPIPE';
  if (readerLeft) return interrupt.abort();
  process.stderr.write(`error: what was asked for cannot be written: ${error.message}\n`);
  process.exit(exitCodes.failed);
});
// Nobody is left to tell.
process.stderr.on('error', () => {});

const exitCode = await runCli(process.argv.slice(2), interrupt.signal);
for (const stream of [process.stdout, process.stderr]) await new Promise((resolve) => stream.write('', resolve));
// An error of a stream is told one turn after its write has failed.
await new Promise(setImmediate);
// Not left to the event loop: a connection that is still being tried would hold the process for minutes.
process.exit(readerLeft ? exitCodes.ok : exitCode);
