import { suggestName } from '../expressions/closest-name.ts';
import { auditParameters } from '../workflows/contract.ts';
import { remarkAt, remarkIn } from './block-remark.ts';
import { checkBatchAudit, checkRelation, remarkColumn } from './check-batch.ts';
import type { Remark } from './remark.ts';
import type { FencedBlock, RunbookSection } from './runbook.ts';
import { addReturning, parseSql } from './sql.ts';
import type { ParsedSql } from './sql.ts';

/** What a block of SQL in a check's section is for. */
const roles = ['detect', 'remedy', 'audit'] as const;
type Role = (typeof roles)[number];

/** The SQL of one check; a statement with a fault is left out. */
export interface CheckSql {
  detect?: ParsedSql;
  remedy?: ParsedSql;
  audit?: ParsedSql;
  hasSection: boolean;
  hasRemedy: boolean;
  /** Whether every block could be read. */
  isWhole: boolean;
  /** The names that the statements ask for. */
  used: Set<string>;
  remarks: Remark[];
}

/** What may stand in each block; all else cannot take parameters, or ends the transaction that it runs in. */
const allowedKinds: Record<Role, { kinds: readonly string[]; sentence: string }> = {
  detect: { kinds: ['SelectStmt'], sentence: 'one SELECT' },
  remedy: {
    kinds: ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'],
    sentence: 'one SELECT, INSERT, UPDATE, DELETE or MERGE',
  },
  audit: { kinds: ['SelectStmt', 'InsertStmt', 'UpdateStmt'], sentence: 'one INSERT, UPDATE or SELECT' },
};

/** SQL blocks that belong to no check, have no known role, or are never closed. */
export function findSectionFaults(sections: readonly RunbookSection[], checks: readonly string[]): Remark[] {
  const remarks: Remark[] = [];
  for (const section of sections) {
    const blocks = section.blocks.filter((block) => roleWord(block) !== undefined);
    if (blocks[0] === undefined) continue;
    if (!checks.includes(section.title) || section.level === 0) {
      const message =
        section.level === 0
          ? 'this SQL stands in no section'
          : `\`${section.title}\` holds SQL and there is no check of that name`;
      const hint = suggestName(section.title, checks, `checks: ${checks.join(', ')}`);
      remarks.push(remarkAt(section.level === 0 ? blocks[0].line : section.line, message, hint));
    }
    for (const block of blocks) {
      const word = roleWord(block) ?? '';
      if (!isRole(word)) {
        const hint = suggestName(word, roles, `allowed: ${roles.join(', ')}`);
        remarks.push(remarkAt(block.line, `\`${word}\` is not a use of SQL here`, hint));
      } else if (!block.isClosed) {
        remarks.push(remarkAt(block.line, 'the block that opens here is never closed', 'end it with a line ```'));
      }
    }
  }
  return remarks;
}

/** Reads the SQL of one check; all that is wrong with it stands in `remarks`. */
export function readCheckSql(name: string, sections: readonly RunbookSection[], given: Given): CheckSql {
  const [section, second] = sections.filter(({ title, level }) => level > 0 && title === name);
  const result: CheckSql = {
    hasSection: section !== undefined,
    hasRemedy: false,
    isWhole: false,
    used: new Set(),
    remarks: [],
  };
  if (section === undefined) {
    const hint = `add a heading \`## ${name}\` and under it a block \`\`\`sql detect`;
    const path = ['watchdog', 'checks', name];
    result.remarks.push({ path, atKey: true, message: `the check \`${name}\` has no section in the prose`, hint });
    return result;
  }
  if (second) {
    result.remarks.push(remarkAt(second.line, `the check \`${name}\` has a section already, at line ${section.line}`));
  }
  const blocks = new Map<Role, FencedBlock>();
  for (const block of section.blocks) {
    const role = roleWord(block);
    if (role === undefined || !isRole(role)) continue;
    if (blocks.has(role)) result.remarks.push(remarkAt(block.line, `there is a block \`sql ${role}\` above already`));
    else blocks.set(role, block);
  }
  result.hasRemedy = blocks.has('remedy');
  if (!blocks.has('detect')) {
    const hint = 'it finds what is wrong: one row for each finding';
    result.remarks.push(remarkAt(section.line, `the check \`${name}\` has no block \`\`\`sql detect`, hint));
  }
  result.isWhole = true;
  for (const role of roles) readBlock(result, role, blocks.get(role), given);
  return result;
}

interface Given {
  params: readonly string[];
  isBatch: boolean;
}

function readBlock(result: CheckSql, role: Role, block: FencedBlock | undefined, given: Given): void {
  if (!block) return;
  const parsed = parseSql(block.text);
  if ('fault' in parsed) {
    result.isWhole = false;
    result.remarks.push(remarkIn(block, parsed.fault.offset, parsed.fault.message, parsed.fault.hint));
    return;
  }
  result[role] = role === 'remedy' ? addReturning(parsed) : parsed;
  for (const name of parsed.parameters) result.used.add(name);
  const { kinds, sentence } = allowedKinds[role];
  if (!kinds.includes(parsed.kind)) {
    result.remarks.push(remarkIn(block, 0, `\`sql ${role}\` is ${sentence}; this is ${nameKind(parsed.kind)}`));
  } else if (role === 'detect' && parsed.inner.some((kind) => kind !== 'SelectStmt')) {
    result.remarks.push(remarkIn(block, 0, 'a detect query changes nothing, and this one does in its WITH'));
  } else if (role === 'detect' && parsed.locks) {
    const hint = 'leave FOR UPDATE out; before the remedy the row is locked for you';
    result.remarks.push(remarkIn(block, 0, 'a detect query runs in a read-only transaction and cannot lock', hint));
  }
  if (role === 'remedy') result.remarks.push(...checkRelation(block, parsed, given.isBatch));
  if (role === 'audit') result.remarks.push(...checkBatchAudit(block, parsed, given.isBatch));
  if (role === 'audit') result.remarks.push(...findHidden(result, block, parsed, given));
  const known = listParameters(result, role, given);
  if (!known) return;
  for (const { name, offset } of parsed.places) {
    if (known.includes(name)) continue;
    result.isWhole = false;
    if (result.detect?.columns?.includes(name) === true) {
      result.remarks.push(remarkColumn(block, offset, name));
      continue;
    }
    const hint = suggestName(name, known, known.length === 0 ? 'add it to `params`' : `known: ${known.join(', ')}`);
    result.remarks.push(remarkIn(block, offset, `\`:${name}\` has no value`, hint));
  }
}

/** A name that means one thing in the audit of every check may not mean another in that of this one. */
function findHidden({ detect }: CheckSql, block: FencedBlock, { places }: ParsedSql, { params }: Given): Remark[] {
  const own: readonly string[] = auditParameters;
  return places.flatMap(({ name, offset }) => {
    const [what, hint] = params.includes(name)
      ? ['one of the `params`', 'give the parameter another name']
      : ['a column of the detect query', `give the column another name there, such as \`${name} as ${name}_found\``];
    const isHidden = params.includes(name) || detect?.columns?.includes(name) === true;
    if (!own.includes(name) || !isHidden) return [];
    return [remarkIn(block, offset, `\`:${name}\` is what the audit tells of the action, and ${what} too`, hint)];
  });
}

/** What a statement may bind; undefined where the columns of the finding cannot be told. */
function listParameters(result: CheckSql, role: Role, { params, isBatch }: Given): readonly string[] | undefined {
  if (role === 'detect' || (role === 'remedy' && isBatch)) return params;
  const columns = result.detect?.columns;
  if (!columns) return undefined;
  return [...params, ...columns, ...(role === 'audit' ? auditParameters : [])];
}

function nameKind(kind: string): string {
  return kind
    .replace(/Stmt$/, '')
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase();
}

/** The second word of a block in SQL; one without is an example for the reader. */
function roleWord({ info }: FencedBlock): string | undefined {
  const [language = '', word] = info.split(/\s+/);
  return language.toLowerCase() === 'sql' ? word : undefined;
}

function isRole(word: string): word is Role {
  return roles.some((role) => role === word);
}
