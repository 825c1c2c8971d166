/** Something that holds memory, threads or a process until it is closed. */
export interface Closable {
  close(): Promise<void>;
}

/** Takes what was opened, to be closed with all else, and hands it back. */
export type Keep = <Thing extends Closable>(thing: Thing) => Thing;

/**
 * Does a work that opens things, and closes them behind it, the last one first: also where the work
 * throws, for instance because a further one does not open. Each is closed, whatever closing another
 * throws.
 *
 * @param work hands each thing to `keep` as soon as it is open
 * @throws what the work throws, or else what closing has thrown first
 */
export async function closingOpened<Result>(
  work: (keep: Keep) => Promise<Result>,
): Promise<Result> {
  const opened: Closable[] = [];
  const keep: Keep = (thing) => {
    opened.push(thing);
    return thing;
  };
  const failures: PromiseRejectedResult[] = [];
  const attempt = async <Made>(step: () => Promise<Made>): Promise<Made | undefined> => {
    try {
      return await step();
    } catch (reason) {
      failures.push({ status: "rejected", reason });
      return undefined;
    }
  };
  const result = await attempt(() => work(keep));
  for (const thing of opened.toReversed()) await attempt(() => thing.close());
  const [first] = failures;
  if (first !== undefined) throw first.reason;
  return result as Result;
}
