/**
 * What a server answers in time. A command waits for a server that is away without end; who must not,
 * goes on without the answer.
 *
 * @param milliseconds the longest wait; Infinity waits for the signal alone
 * @returns undefined where it took longer, and after an abort; the work itself goes on
 * @throws what the work throws in time
 */
export async function within<Result>(
  milliseconds: number,
  work: Promise<Result>,
  signal?: AbortSignal,
): Promise<Result | undefined> {
  // It can fail long after nobody waits for it any more.
  work.catch(() => undefined);
  if (signal?.aborted === true) return undefined;
  let timer: NodeJS.Timeout | undefined;
  let stop: () => void = () => undefined;
  const late = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
    signal?.addEventListener("abort", stop, { once: true });
    if (milliseconds < Infinity) timer = setTimeout(stop, milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}
