import { isatty } from "node:tty";
import type { AnswerOptions } from "./answer-lines.js";

/** Where nothing says how wide the terminal is. */
const defaultWidth = 100;

/** What standard output can show. */
export function outputLook(): AnswerOptions {
  // Not `isTTY`: it is undefined in a pipe, which picocolors takes as "guess".
  const isTerminal = isatty(process.stdout.fd);
  return {
    color: isTerminal && !process.env["NO_COLOR"],
    unicode: isTerminal,
    width: process.stdout.columns || defaultWidth,
  };
}
