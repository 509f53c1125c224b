import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/**
 * Ends the output with `N passed, N failed, N skipped`. Whatever makes the run red without a failed test (a file that
 * does not load, a hook, an unhandled error, the global set-up, no test at all) counts as failed too.
 */
export default class ClosingLine implements Reporter {
  private counts = { passed: 0, failed: 0, skipped: 0 };

  onInit(): void {
    process.once('exit', (code) => this.print(code));
  }

  onTestRunEnd(testModules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const testModule of testModules) {
      for (const test of testModule.children.allTests()) {
        const { state } = test.result();
        counts[state === 'pending' ? 'skipped' : state]++;
      }
      const suites = [testModule, ...testModule.children.allSuites()];
      counts.failed += suites.filter((suite) => suite.errors().length > 0).length;
    }
    this.counts = counts;
  }

  private print(exitCode: number): void {
    const { passed, failed, skipped } = this.counts;
    const seen = exitCode === 0 ? failed : Math.max(1, failed);
    process.stdout.write(`${passed} passed, ${seen} failed, ${skipped} skipped\n`);
  }
}
