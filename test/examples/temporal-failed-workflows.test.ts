import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readTestSetting } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { tryExample } from './support/try-example.ts';

const namespace = `failed-${randomBytes(4).toString('hex')}`;
const environment = {
  TEMPORAL_HTTP_URL: readTestSetting('ACTCORE_TEST_TEMPORAL_HTTP_URL'),
  TEMPORAL_NAMESPACE: namespace,
};
let connection: Connection;

/** A namespace of its own, for other tests let workflows fail as well. */
beforeAll(async () => {
  connection = await Connection.connect({ address: readTestSetting('ACTCORE_TEST_TEMPORAL_ADDRESS') });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await eventually(() => tryOnce().then(({ outcome }) => outcome === 'completed'));
});
afterAll(() => connection.close());

const tryOnce = () => tryExample('temporal-failed-workflows', environment);

/** Starts a workflow and lets it fail, in the place of a worker. */
async function failWorkflow(workflowId: string): Promise<void> {
  const { workflowService } = connection;
  const taskQueue = { name: workflowId };
  const common = { namespace, workflowId, workflowType: { name: 'doomed' }, taskQueue, requestId: workflowId };
  await workflowService.startWorkflowExecution(common);
  const { taskToken } = await connection.withDeadline(Date.now() + 10_000, () =>
    workflowService.pollWorkflowTaskQueue({ namespace, taskQueue }),
  );
  const { CommandType } = temporal.api.enums.v1;
  await workflowService.respondWorkflowTaskCompleted({
    ...{ namespace, taskToken },
    commands: [
      {
        commandType: CommandType.COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
        failWorkflowExecutionCommandAttributes: { failure: { message: 'as it was to' } },
      },
    ],
  });
}

it('no workflow has failed: the assessment is passed', async () => {
  expect(await tryOnce()).toMatchObject({ outcome: 'completed', assessment: 'passed', exitCode: 0 });
});

it('workflows have failed: the assessment is failed, with their number, and the job itself is well', async () => {
  const found = async (count: number) => {
    const report = await eventually(async () => {
      const tried = await tryOnce();
      return tried.assessmentFailures[0]?.message === `${count} failed` && tried;
    });
    expect(report).toMatchObject({
      outcome: 'completed',
      assessment: 'failed',
      assessmentFailureCount: 1,
      exitCode: 0,
    });
    expect(report.assessmentFailures[0]).toMatchObject({ target: 'temporal', rule: 'failed-workflows' });
  };
  await failWorkflow('one');
  await found(1);
  await failWorkflow('two');
  await found(2);
});

it('a namespace that is not there is an automation error that says so', async () => {
  const report = await tryExample('temporal-failed-workflows', { ...environment, TEMPORAL_NAMESPACE: 'nowhere' });
  expect(report).toMatchObject({ outcome: 'automation_error', exitCode: 1 });
  expect(report.reason).toContain('Namespace nowhere is not found');
});
