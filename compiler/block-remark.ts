import type { Remark } from './remark.ts';
import type { FencedBlock } from './runbook.ts';

/** A remark on a line of the prose. */
export function remarkAt(line: number, message: string, hint?: string): Remark {
  return { path: [], at: { line, column: 1 }, message, ...(hint === undefined ? {} : { hint }) };
}

/** A remark on a character of a block's text, counted from its start. */
export function remarkIn(block: FencedBlock, offset: number, message: string, hint?: string): Remark {
  const before = block.text.slice(0, offset).split('\n');
  const at = { line: block.line + before.length, column: block.indent + (before.at(-1)?.length ?? 0) + 1 };
  return { ...remarkAt(at.line, message, hint), at };
}
