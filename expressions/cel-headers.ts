import type { ASTNode } from '@marcbachmann/cel-js';
import type { Fault } from './fault.ts';

/** Finds `headers["Content-Type"]`, which would never be there: the names of a response's headers are in lower case. */
export function findHeaderKeyFault(root: unknown): Fault | undefined {
  if (Array.isArray(root)) {
    for (const item of root) {
      const fault = findHeaderKeyFault(item);
      if (fault) return fault;
    }
    return undefined;
  }
  if (!isNode(root)) return undefined;
  const key = root.op === '.' || root.op === '[]' ? readHeaderKey(root.args[0], root.args[1]) : undefined;
  if (key === undefined || key === key.toLowerCase()) return findHeaderKeyFault(root.args);
  return {
    offset: root.pos,
    message: `header names are in lower case here, so \`${key}\` is never there`,
    hint: `write \`headers["${key.toLowerCase()}"]\``,
  };
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

function readHeaderKey(receiver: ASTNode, key: ASTNode | string): string | undefined {
  if (receiver.op !== 'id' || receiver.args !== 'headers') return undefined;
  if (typeof key === 'string') return key;
  return key.op === 'value' && typeof key.args === 'string' ? key.args : undefined;
}
