/** A line of either text, with its line end where it has one. */
interface Step {
  sign: ' ' | '-' | '+';
  line: string;
}

const contextLines = 3;
/** Beyond this the part in which two texts differ is shown as replaced whole: exact, and no shortest diff. */
const largestTable = 4_000_000;

/** The lines of a unified diff without its file names; none where the texts are equal. */
export function diffLines(before: string, after: string): string[] {
  const steps = compareLines(splitLines(before), splitLines(after));
  return findHunks(steps).flatMap(([start, end]) => renderHunk(steps, start, end));
}

function splitLines(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

function compareLines(before: string[], after: string[]): Step[] {
  let [head, tail] = [0, 0];
  const shortest = Math.min(before.length, after.length);
  while (head < shortest && before[head] === after[head]) head += 1;
  while (tail < shortest - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const same = (line: string): Step => ({ sign: ' ', line });
  return [
    ...before.slice(0, head).map(same),
    ...compareMiddle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** By the longest common subsequence, removals before additions. */
function compareMiddle(before: string[], after: string[]): Step[] {
  const removed = before.map((line): Step => ({ sign: '-', line }));
  const added = after.map((line): Step => ({ sign: '+', line }));
  const width = after.length + 1;
  if ((before.length + 1) * width > largestTable) return [...removed, ...added];
  const common = new Uint32Array((before.length + 1) * width);
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      const [down, right] = [(row + 1) * width + column, row * width + column + 1];
      common[row * width + column] =
        before[row] === after[column] ? (common[down + 1] ?? 0) + 1 : Math.max(common[down] ?? 0, common[right] ?? 0);
    }
  }
  const steps: Step[] = [];
  let [row, column] = [0, 0];
  while (row < before.length && column < after.length) {
    const line = before[row] ?? '';
    if (line === after[column]) {
      steps.push({ sign: ' ', line });
      row += 1;
      column += 1;
    } else if ((common[(row + 1) * width + column] ?? 0) >= (common[row * width + column + 1] ?? 0)) {
      steps.push({ sign: '-', line });
      row += 1;
    } else {
      steps.push({ sign: '+', line: after[column] ?? '' });
      column += 1;
    }
  }
  return [...steps, ...removed.slice(row), ...added.slice(column)];
}

/** Ranges of steps around the changes; those whose context would touch are one. */
function findHunks(steps: Step[]): [number, number][] {
  const hunks: [number, number][] = [];
  for (const [index, { sign }] of steps.entries()) {
    if (sign === ' ') continue;
    const [start, end] = [Math.max(0, index - contextLines), Math.min(steps.length, index + contextLines + 1)];
    const last = hunks.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = end;
    else hunks.push([start, end]);
  }
  return hunks;
}

function renderHunk(steps: Step[], start: number, end: number): string[] {
  const count = (from: number, to: number, other: Step['sign']) =>
    steps.slice(from, to).filter(({ sign }) => sign !== other).length;
  const range = (other: Step['sign']) => {
    const lines = count(start, end, other);
    const first = count(0, start, other) + (lines === 0 ? 0 : 1);
    return lines === 1 ? String(first) : `${first},${lines}`;
  };
  const lines = steps.slice(start, end).flatMap(({ sign, line }) => {
    if (line.endsWith('\n')) return [sign + line.slice(0, -1)];
    return [sign + line, '\\ No newline at end of file'];
  });
  return [`@@ -${range('+')} +${range('-')} @@`, ...lines];
}
