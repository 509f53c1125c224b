/** Every sentence about a remedy in SQL. */
export const sqlRemedyReasons = {
  seenAgain: 'the finding was there when it was looked at again, under a lock on its rows',
  seenUnlocked: (why: string) =>
    `the finding was there when it was looked at again, without a lock on its rows: ${why}`,
  cannotLock: 'its detect query gives no row that could be locked',
  mayNotLock: 'this role may not lock them',
  readOnlyLock: 'the database is read-only',
  notCured: 'the finding is still there after it',
  tooManyRows: (most: number) => `it touches more rows than max_rows (${most})`,
  tooManyBatchRows: (rows: number, findings: number, most: number) =>
    `it touches ${rows} rows for ${findings} findings, more than max_rows (${most}) allows for each; nothing of the batch was done`,
  othersNotCured: (left: number, all: number) =>
    `${left} of ${all} findings are still there after it; nothing of the batch was done`,
  lockedElsewhere: 'another transaction holds rows that the remedy touches',
  unknownName: (block: string, name: string) =>
    `the ${block} binds :${name}, which is neither one of the params nor a column of the detect query`,
  columnInBatch: (name: string) =>
    `the remedy binds :${name}; with batch: true it reads the columns of its findings from the relation findings`,
  auditInBatch: 'with batch: true the audit is one INSERT INTO ... VALUES (...) of one row',
  broken: (block: string, said: string) => `its ${block} block: ${said}`,
  readOnly: (why: string) => `the remedy writes, and the database is read-only: ${why}`,
  standby: 'it is a standby',
  readOnlySetting: 'default_transaction_read_only is on',
  commitRefused: (said: string) => `the transaction could not be committed: ${said}`,
} as const;
