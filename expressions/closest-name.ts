/** Longer words than this are not compared: nobody mistypes them by a letter, and the comparison is quadratic. */
const longestWord = 64;

/** Finds what the author probably meant, for a did-you-mean; nothing when no allowed name is near. */
export function findClosestName(word: string, allowed: Iterable<string>): string | undefined {
  if (word.length > longestWord) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const name of allowed) {
    if (name.length > longestWord) continue;
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Words a hint: `did you mean ...?` where something is near, else the sentence given. */
export function suggestName(word: string, allowed: Iterable<string>, otherwise: string): string {
  const closest = findClosestName(word, allowed);
  return closest === undefined ? otherwise : `did you mean \`${closest}\`?`;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), each counted as one. */
function editDistance(left: string, right: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1];
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (isSame ? 0 : 1),
      );
      const isSwap =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (isSwap) cost = Math.min(cost, at(beforePrevious, column - 2) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, right.length);
}

function at(row: number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
