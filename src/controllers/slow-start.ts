// Makes many objects, a few first: when the server refuses one (a quota, say), it will refuse the others too.

/** Calls `make` for 0 to `count` - 1, in batches of 1, 2, 4, …; stops after a batch with a failure and answers the first. */
export async function slowStart(
  count: number,
  make: (index: number) => Promise<void>,
): Promise<{ readonly succeeded: number; readonly error: unknown }> {
  let succeeded = 0;
  let left = count;
  for (let batch = Math.min(1, left); batch > 0; batch = Math.min(batch * 2, left)) {
    const done = count - left;
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, index) => make(done + index)));
    const failure = results.find((result) => result.status === "rejected");
    succeeded += results.filter((result) => result.status === "fulfilled").length;
    left -= batch;
    if (failure !== undefined) return { succeeded, error: failure.reason };
  }
  return { succeeded, error: undefined };
}
