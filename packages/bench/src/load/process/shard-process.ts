import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { StreamgaugeError } from "@streamgauge/core";
import type { LoadTarget } from "../../record/index.js";
import type { FromShard, ShardCounts, ShardOrder, ShardSamples, ToShard } from "./protocol.js";

/** A process that has opened its target, and waits for the moment to begin. */
export interface ShardProcess {
  /** What a record keeps of the target. */
  readonly target: LoadTarget;
  /**
   * Sends the requests. Resolves when the last one has ended, also after an abort. Once only.
   *
   * @param startAtNanoseconds beginning of the schedule, by `process.hrtime`
   * @throws StreamgaugeError what the process threw, or `PROCESS_FAILED` where it ended without a word
   */
  run(startAtNanoseconds: bigint): Promise<ShardSamples>;
  /** Ends the process, whatever it does. */
  end(): Promise<void>;
}

/**
 * Starts a process for a shard, and has it open its target: the requests of a load are sent by a process
 * that does nothing else.
 *
 * @param options the signal stops the requests; `execArgv` are flags of Node, default: those of this
 *   process; `onCounts` is told now and then while the requests are sent, where the order has limits
 * @throws StreamgaugeError as `openTarget`; `PROCESS_FAILED`
 */
export async function openShardProcess(
  order: ShardOrder,
  {
    signal,
    execArgv,
    onCounts,
  }: {
    readonly signal?: AbortSignal | undefined;
    readonly execArgv?: readonly string[] | undefined;
    readonly onCounts?: ((counts: ShardCounts) => void) | undefined;
  },
): Promise<ShardProcess> {
  const child = fork(fileURLToPath(new URL("./entry.js", import.meta.url)), {
    // Bytes and big integers cross as they are.
    serialization: "advanced",
    ...(execArgv !== undefined && { execArgv: [...execArgv] }),
  });
  // The last message has been read when both have happened.
  const gone = Promise.all([once(child, "exit"), once(child, "disconnect")]);
  const answers = { ready: answerOf(child, "ready", gone), done: answerOf(child, "done", gone) };
  child.on("message", (raw) => {
    const message = raw as FromShard;
    if (message.type === "counts") onCounts?.({ bad: message.bad, late: message.late });
  });
  // It can fail while nobody waits for it yet.
  answers.done.catch(() => undefined);
  const abort = (): void => send(child, { type: "abort" });
  signal?.addEventListener("abort", abort, { once: true });
  const forget = (): void => signal?.removeEventListener("abort", abort);
  gone.then(forget, forget);
  const end = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone.catch(() => undefined);
  };
  send(child, { type: "open", order });
  if (signal?.aborted === true) abort();
  try {
    const { target } = await answers.ready;
    return {
      target,
      run: async (atNanoseconds) => {
        send(child, { type: "start", atNanoseconds });
        const { status, samples } = await answers.done;
        return { status, samples };
      },
      end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

type Answer<Type extends FromShard["type"]> = Extract<FromShard, { readonly type: Type }>;

/** The first message of a kind. */
function answerOf<Type extends "ready" | "done">(
  child: ChildProcess,
  type: Type,
  gone: Promise<readonly unknown[]>,
): Promise<Answer<Type>> {
  return new Promise((resolve, reject) => {
    child.on("message", (raw) => {
      const message = raw as FromShard;
      if (message.type === "failed") reject(StreamgaugeError.fromWire(message.error));
      else if (message.type === type) resolve(message as Answer<Type>);
    });
    gone.then(
      () => reject(endedUnasked(child)),
      (error: unknown) => reject(error as Error),
    );
  });
}

function send(child: ChildProcess, message: ToShard): void {
  // One that has ended needs nothing more.
  if (child.connected) child.send(message, () => undefined);
}

function endedUnasked({ exitCode, signalCode }: ChildProcess): StreamgaugeError {
  return new StreamgaugeError(
    "PROCESS_FAILED",
    `A process that sent requests ended with ${signalCode ?? `code ${exitCode}`} before it was done. ` +
      `Its step of the load does not count.`,
  );
}
