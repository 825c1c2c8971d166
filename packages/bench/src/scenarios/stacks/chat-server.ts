import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { StreamgaugeError } from "@streamgauge/core";

/** A server of chat completions in a process of its own, whose CPU time is not this one's. */
export interface ChatServer {
  /** Of the OpenAI interface: ends with `/v1`. */
  readonly baseUrl: string;
  /** Where completions are asked for. */
  readonly url: string;
  /** When the tokens of the last answer were made, in nanoseconds of `process.hrtime()`. */
  madeAtNanoseconds(): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** What the process is told, one at a time. */
export type ToChatServer =
  | { readonly type: "open"; readonly texts: readonly string[]; readonly stepMicroseconds: number }
  | { readonly type: "made" };

/** What it answers. */
export type FromChatServer =
  | { readonly type: "listening"; readonly port: number }
  | { readonly type: "made"; readonly nanoseconds: readonly number[] };

/** Starts it. @param texts of the tokens, in order; an answer has as many as are asked for */
export type OpenChatServer = (
  texts: readonly string[],
  stepMicroseconds: number,
) => Promise<ChatServer>;

/** The built module, also where a test imports this one's source. */
const entry = new URL("../../../dist/scenarios/stacks/chat-server-entry.js", import.meta.url);

/**
 * Starts the process, and listens on the loopback interface.
 *
 * @throws StreamgaugeError `PROCESS_FAILED` when it ends
 */
export const openChatServer: OpenChatServer = async (texts, stepMicroseconds) => {
  const child = fork(fileURLToPath(entry), { serialization: "advanced", execArgv: [] });
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGKILL");
    await ended;
  };
  try {
    const answer = await ask(child, { type: "open", texts, stepMicroseconds });
    if (answer.type !== "listening") throw new Error(`${answer.type} is no port.`);
    const baseUrl = `http://127.0.0.1:${answer.port}/v1`;
    return {
      baseUrl,
      url: `${baseUrl}/chat/completions`,
      async madeAtNanoseconds() {
        const made = await ask(child, { type: "made" });
        return made.type === "made" ? made.nanoseconds : [];
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

/** What a client without a library sends. */
export function chatRequest(tokens: number): {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
} {
  const messages = [{ role: "user", content: "known tokens" }];
  return {
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "known-tokens", max_tokens: tokens, stream: true, messages }),
  };
}

async function ask(child: ChildProcess, message: ToChatServer): Promise<FromChatServer> {
  return await new Promise<FromChatServer>((resolve, reject) => {
    const settle = (): void => {
      child.off("message", hear);
      child.off("exit", fail);
    };
    const hear = (answer: unknown): void => {
      settle();
      resolve(answer as FromChatServer);
    };
    const fail = (): void => {
      settle();
      reject(
        new StreamgaugeError(
          "PROCESS_FAILED",
          `The process that serves known tokens ended with ` +
            `${child.signalCode ?? `code ${child.exitCode}`}. Its messages are above this one.`,
        ),
      );
    };
    child.once("message", hear);
    child.once("exit", fail);
    if (child.exitCode !== null || child.signalCode !== null) return fail();
    child.send(message, (error) => {
      // It is going, and "exit" follows where it did not come before.
      if (error !== null && child.exitCode !== null) fail();
    });
  });
}
