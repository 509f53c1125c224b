import type { JobAction } from './choose-action.ts';
import type { DefinitionNames } from './definition-text.ts';
import type { FoundJob, ReportAdvice } from './found-job.ts';

/** Writes the prose of an imported definition: where it comes from, what differs, and what is to be done. */
export function writeRunbook(job: FoundJob, action: JobAction, names: DefinitionNames, advice: ReportAdvice): string {
  const { source } = names;
  const notes = [...('call' in action ? action.call.notes : []), ...job.notes];
  const parts = [
    '# What this does',
    'Say what it does, why, and what is lost when a tick is left out.',
    `It was imported from ${escapeProse(job.label)}, and is off until its canary has completed. The old runner is \`${source}\` under \`sources:\`.`,
    fence(job.original.language, job.original.text),
    '## Before it is enabled',
    listSteps(action, names, advice).join('\n'),
    ...(notes.length === 0 ? [] : ['## What differs', notes.map((note) => `- ${escapeProse(note)}`).join('\n')]),
    '## On automation error',
    'It did not do its work. Say where to look first, how to start it by hand, and whether it can wait.',
    '## On assessment failure',
    'It ran and found something wrong in the data. Say what that means and who repairs it.',
  ];
  return `${parts.join('\n\n')}\n`;
}

function listSteps(action: JobAction, { id, source }: DefinitionNames, advice: ReportAdvice): string[] {
  const isMasked = advice.text.includes('[secret]');
  const report = [
    `${advice.how}, so that the old runner reports as a source:`,
    '',
    ...indent(fence(advice.language, advice.text)),
    '',
    '   It is ended there a minute after `max_seconds`, which nobody did before: raise that where it may take longer, or add `--timeout 0s`.',
    ...(isMasked ? ['', '   `[secret]` stands for a credential that is not copied: keep what is there now.'] : []),
    '',
  ];
  const variables =
    'call' in action ? action.call.origins.map(({ name, from }) => `   - \`${name}\`: ${escapeProse(from)}`) : [];
  const steps =
    action.kind === 'placeholder'
      ? [
          report,
          [
            `Give it an endpoint: ${escapeProse(action.reason)}. Let an HTTP API do the work, and set \`${action.variable}\` on the workers to its address, or write the request it takes into \`sweep.request\`.`,
          ],
        ]
      : [report, ...(variables.length === 0 ? [] : [['Set these on the workers:', '', ...variables, '']])];
  const apply = ['`actcore apply`: it becomes a paused schedule, so that runs can be recorded for it.'];
  const answer = [
    'Where the API answers that somebody else is at the work, write that under `sweep.outcome`, and `--judge` before the `--` of the old ' +
      'runner: what its command prints is judged by the same rules then.',
  ];
  const last = [
    [`\`actcore canary ${id}\` runs it once. When that has completed: \`enabled: true\`, and \`actcore apply\`.`],
    [
      `\`actcore compare ${id}\` while both run, then \`actcore cutover check ${id} --from ${source}\`, and \`actcore cutover confirm ${id} --from ${source}\` when it says go.`,
    ],
  ];
  return [apply, ...steps, ...(action.kind === 'request' ? [answer] : []), ...last].flatMap((rows, index) =>
    rows.map((row, at) => (at === 0 ? `${index + 1}. ${row}` : row)),
  );
}

function indent(text: string): string[] {
  return text.split('\n').map((row) => (row === '' ? '' : `   ${row}`));
}

/** A block that nothing within it can end. */
function fence(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const marks = '`'.repeat(longest + 1);
  return `${marks}${language}\n${text.replaceAll(/[^\P{Cc}\n\t]/gu, '\uFFFD')}\n${marks}`;
}

/** A line of prose that begins nothing of its own. */
function escapeProse(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[^\P{Cc}]/gu, '\uFFFD')
    .replaceAll('<', '&lt;');
}
