import type { Remark } from './remark.ts';
import type { RunbookSection } from './runbook.ts';

/** What somebody looks for at three in the morning. */
const requiredHeadings = ['On automation error', 'On assessment failure'];

/** Warns of the headings that a runbook lacks, where the prose begins. */
export function checkRunbook(sections: readonly RunbookSection[], bodyLine: number): Remark[] {
  const titles = new Set(sections.map(({ title }) => title.toLowerCase()));
  return requiredHeadings.flatMap((heading) => {
    if (titles.has(heading.toLowerCase())) return [];
    const message = `the runbook has no heading \`## ${heading}\``;
    const hint = 'say what to do when that happens, for somebody who has never seen this activity';
    return [{ path: [], at: { line: bodyLine, column: 1 }, message, hint, isWarning: true }];
  });
}
