/** How many calls to the server are under way at once. */
const concurrency = 10;

/** Does `work` for each item, a few at a time; results in the order of the items. The first failure is thrown when what is under way has ended. */
export async function forEachAtOnce<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const takeTurns = async () => {
    try {
      for (let index = next++; index < items.length; index = next++) {
        results[index] = await work(items[index] as Item, index);
      }
    } finally {
      next = items.length;
    }
  };
  const turns = await Promise.allSettled(Array.from({ length: Math.min(concurrency, items.length) }, takeTurns));
  const failed = turns.find((turn) => turn.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results;
}
