import { expect, it } from 'vitest';
import { openHistory } from '../../history/database.ts';
import { exportRows } from '../../history/export.ts';
import { openTestHistory } from './support/history.ts';

it('an export that is called off while it connects holds no connection', async () => {
  const history = await openTestHistory();
  const pool = openHistory(history.url);
  try {
    const calledOff = new AbortController();
    const exporting = exportRows(pool, { subject: 'runs', signal: calledOff.signal }, () => Promise.resolve());
    calledOff.abort(new Error('called off'));
    await expect(exporting).rejects.toThrow('called off');
    await pool.end();
  } finally {
    await history.close();
  }
});
