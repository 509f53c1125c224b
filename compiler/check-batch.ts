import { remarkIn } from './block-remark.ts';
import type { Remark } from './remark.ts';
import type { FencedBlock } from './runbook.ts';
import type { ParsedSql } from './sql.ts';
import { findingsRelation } from './sql-shape.ts';

/** The relation of the findings is there for a remedy that cures them all at once, and for no other. */
export function checkRelation(block: FencedBlock, { readsFindings }: ParsedSql, isBatch: boolean): Remark[] {
  if (readsFindings === isBatch) return [];
  if (isBatch) {
    const message = `with \`batch: true\` the remedy cures all findings at once, and this one does not read \`${findingsRelation}\``;
    const hint = `such as \`update rows set ... from ${findingsRelation} where rows.id = ${findingsRelation}.id\``;
    return [remarkIn(block, 0, message, hint)];
  }
  const message = `the relation \`${findingsRelation}\` is there with \`batch: true\` only`;
  const hint = 'add it to the check; a table of yours that has this name is written with its schema';
  return [remarkIn(block, 0, message, hint)];
}

/** A column that is bound as that of one finding, in a remedy for all of them. */
export function remarkColumn(block: FencedBlock, offset: number, name: string): Remark {
  const message = `\`:${name}\` is of one finding, and with \`batch: true\` one statement cures them all`;
  return remarkIn(block, offset, message, `read it from the relation: \`${findingsRelation}.${name}\``);
}

/** The audit of a batch is made one statement for all findings, which is possible for one form only. */
export function checkBatchAudit(block: FencedBlock, { insertsOneRow }: ParsedSql, isBatch: boolean): Remark[] {
  if (!isBatch || insertsOneRow) return [];
  const message = 'with `batch: true` the audit is one INSERT INTO ... VALUES (...) of one row, without DEFAULT';
  return [remarkIn(block, 0, message, 'it is written for each finding, by one statement')];
}
