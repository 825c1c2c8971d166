import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { StreamgaugeError } from "@streamgauge/core";
import type { GateMode } from "./gate-work.js";
import type { FromSide, SideOrder, SideRun, ToSide } from "./side-protocol.js";

/** One version in a process of its own: idle until it is asked. */
export interface Side {
  /** One call at a time. @throws StreamgaugeError what the version threw, or `PROCESS_FAILED` */
  measure(mode: GateMode): Promise<SideRun>;
  /** Ends the process, by force where it does not end by itself. */
  close(): Promise<void>;
}

/** What a side is made from. */
export interface SideOptions extends SideOrder {
  /** In messages: "base" or "head". */
  readonly name: string;
}

/** Makes a side, ready to measure. */
export type OpenSide = (options: SideOptions) => Promise<Side>;

/** How long a process may take to end before it is killed. */
const closingMilliseconds = 5000;

/**
 * Starts a fresh process for a version, and opens its generator.
 *
 * @throws StreamgaugeError what the version threw, or `PROCESS_FAILED`
 */
export async function openSideProcess({ name, ...order }: SideOptions): Promise<Side> {
  const child = fork(fileURLToPath(new URL("./side-entry.js", import.meta.url)), {
    serialization: "advanced",
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const timer = setTimeout(() => child.kill("SIGKILL"), closingMilliseconds);
    if (child.connected) child.send({ type: "close" } satisfies ToSide, () => undefined);
    else child.kill("SIGKILL");
    await ended;
    clearTimeout(timer);
  };
  try {
    await ask(child, name, { type: "open", ...order });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async measure(mode) {
      const answer = await ask(child, name, { type: "measure", mode });
      if (answer.type !== "measured") throw new Error(`${answer.type} is no measurement.`);
      return answer.run;
    },
    close,
  };
}

async function ask(child: ChildProcess, name: string, message: ToSide): Promise<FromSide> {
  return await new Promise<FromSide>((resolve, reject) => {
    const hear = (raw: unknown): void => {
      child.off("exit", fail);
      const answer = raw as FromSide;
      if (answer.type === "failed") reject(StreamgaugeError.fromWire(answer.error));
      else resolve(answer);
    };
    const fail = (code: number | null, killer: NodeJS.Signals | null): void => {
      child.off("message", hear);
      reject(
        new StreamgaugeError(
          "PROCESS_FAILED",
          `The process that measured ${name} ended with ${killer ?? `code ${code}`}. Try ` +
            `\`streamgauge generate\` in that version to see whether it runs at all.`,
        ),
      );
    };
    child.once("message", hear);
    child.once("exit", fail);
    child.send(message, (error) => {
      // "exit" follows, and says more.
      if (error !== null && child.exitCode !== null) fail(child.exitCode, child.signalCode);
    });
  });
}
