import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { requireSearchAttributes } from '../../cli/search-attributes.ts';
import { listMissingAttributes } from '../../schedules/search-attributes.ts';
import { searchAttributes } from '../../workflows/contract.ts';
import { readTestSetting } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const namespace = `attributes-${randomBytes(4).toString('hex')}`;
let connection: Connection;

/** A namespace that has none of them. */
beforeAll(async () => {
  connection = await Connection.connect({ address: readTestSetting('ACTCORE_TEST_TEMPORAL_ADDRESS') });
  const seconds = 86_400 as unknown as null;
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds } });
  await eventually(() =>
    listMissingAttributes(connection, namespace).then(
      () => true,
      () => false,
    ),
  );
});
afterAll(() => connection.close());

/** What an account is told that may not do something: the embedded server permits everything. */
function deny(...methods: ('listSearchAttributes' | 'addSearchAttributes')[]): Connection {
  const denial = Object.assign(new Error('7 PERMISSION_DENIED'), { code: 7, details: 'Request unauthorized.' });
  const { operatorService } = connection;
  const denied = new Proxy(operatorService, {
    get: (service, name) =>
      methods.some((method) => method === name)
        ? async () => {
            throw denial;
          }
        : Reflect.get(service, name).bind(service),
  });
  return { operatorService: denied } as Connection;
}

it('an account that may not make search attributes is told which are missing, and how they are made', async () => {
  const names = Object.values(searchAttributes);
  const refused = requireSearchAttributes(deny('addSearchAttributes'), namespace);
  await expect(refused).rejects.toMatchObject({
    message: `The namespace ${namespace} lacks the search attributes ${names.join(', ')}, and this account may not make them`,
    advice: expect.stringContaining(`--name ${names[0]} --type Keyword`),
  });
});

it('an account that may not even ask goes on', async () => {
  await expect(requireSearchAttributes(deny('listSearchAttributes'), namespace)).resolves.toBeUndefined();
});

it('where they may be made they are, and then there is nothing to refuse', async () => {
  await requireSearchAttributes(connection, namespace);
  await eventually(async () => (await listMissingAttributes(connection, namespace)).length === 0);
  await expect(requireSearchAttributes(deny('addSearchAttributes'), namespace)).resolves.toBeUndefined();
});
