/** Two neighbours by their places, and how far apart they are. */
export interface Neighbours {
  apartMs: number;
  before: number;
  after: number;
}

/** Gives back the nearest neighbours first; of those that are as near the ones that come first. A binary heap. */
export function openQueue(): { push(one: Neighbours): void; pop(): Neighbours | undefined } {
  const heap: Neighbours[] = [];
  const isLess = (one: Neighbours, other: Neighbours) =>
    one.apartMs < other.apartMs || (one.apartMs === other.apartMs && one.before < other.before);
  const isMisplaced = (parent: number, child: number) => {
    const [upper, lower] = [heap[parent], heap[child]];
    return upper !== undefined && lower !== undefined && isLess(lower, upper);
  };
  const swap = (one: number, other: number) => {
    const [first, second] = [heap[one], heap[other]];
    if (first === undefined || second === undefined) return;
    heap[one] = second;
    heap[other] = first;
  };
  return {
    push(one) {
      let child = heap.push(one) - 1;
      for (let parent = (child - 1) >> 1; child > 0 && isMisplaced(parent, child); parent = (child - 1) >> 1) {
        swap(parent, child);
        child = parent;
      }
    },
    pop() {
      swap(0, heap.length - 1);
      const top = heap.pop();
      for (let parent = 0; ;) {
        const [left, right] = [2 * parent + 1, 2 * parent + 2];
        const child = isMisplaced(left, right) ? right : left;
        if (!isMisplaced(parent, child)) return top;
        swap(parent, child);
        parent = child;
      }
    },
  };
}
