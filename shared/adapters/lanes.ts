/** Runs `act` on every item, at most `lanes` at a time, in order of the items. The first failure stops the rest. */
export async function inLanes<T>(lanes: number, items: Iterable<T>, act: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  let stopped = false;
  const lane = async () => {
    for (let next = queue.next(); !next.done && !stopped; next = queue.next()) {
      try {
        await act(next.value);
      } catch (error) {
        stopped = true;
        throw error;
      }
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const failure = settled.find((each) => each.status === 'rejected');
  if (failure) throw failure.reason;
}
