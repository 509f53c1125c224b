import type { Judged } from '../activities/judged.ts';
import type { Verdict } from '../activities/verdict.ts';
import type { Colors } from './output.ts';
import { showLine } from './printable.ts';

const shownCharacters = 200;

const titles: Record<Judged['part'], string> = {
  targets: 'How the rules judged the answer with the targets:',
  request: 'How the rules judged the answer:',
  poll: 'How the rules judged the last poll:',
};

/** How each rule judged one answer: the rule, what it asked, what that gave and what follows. */
export function formatJudged({ part, verdicts }: Judged, colors: Colors): string {
  const names = verdicts.map(({ path }) => nameRule(path));
  const width = Math.max(...names.map((name) => name.length));
  const lines = verdicts.flatMap((verdict, index) =>
    formatVerdict(verdict, (names[index] ?? '').padEnd(width), colors),
  );
  return [titles[part], ...lines].join('\n');
}

function formatVerdict({ asked, gave, fault, means, decides }: Verdict, name: string, colors: Colors): string[] {
  const value = fault === undefined ? (gave === undefined ? '' : cut(JSON.stringify(gave))) : 'no value';
  const told = decides ? colors.bold(means) : colors.dim(means);
  const sign = decides ? colors.yellow('*') : ' ';
  return [
    `${sign} ${colors.cyan(name)}  ${cut(asked)}`,
    `  ${' '.repeat(name.length)}  ${value === '' ? '' : `${colors.dim('=')} ${value}: `}${told}`,
  ];
}

/** The rule as the definition has it, below `sweep`. */
export function nameRule(path: string[]): string {
  const name = path.slice(1).join('.');
  return /^(each\.)?(request|poll)$/.test(name) ? 'status' : name;
}

function cut(text: string): string {
  const line = showLine(text);
  return line.length > shownCharacters ? `${line.slice(0, shownCharacters)} ...` : line;
}
