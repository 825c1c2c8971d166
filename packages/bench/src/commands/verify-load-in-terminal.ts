import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isatty } from "node:tty";
import { invalidOption } from "@streamgauge/core";
import { neverVerifiedOfLoads, verifyLoad, type LoadVerification } from "../load/verify-load.js";
import type { LoadRecord } from "../record/index.js";
import { drawTable, terminalText } from "../terminal/terminal-text.js";
import { agreementWords, verifyExitCodes } from "./agreement-words.js";

/**
 * Verifies a record of a load, and prints what came out.
 *
 * @param path of the record's file
 * @returns the exit code: 0 all agrees, 1 something differs, 2 there is nothing to verify
 * @throws StreamgaugeError `INVALID_OPTION` for a file of claims, which a load has none of
 */
export async function verifyLoadInTerminal(
  { record, path }: { readonly record: LoadRecord; readonly path: string },
  { claims }: { readonly claims?: string },
): Promise<number> {
  if (claims !== undefined) {
    throw invalidOption("This is a record of a load, which has no claims: leave out --claims.");
  }
  const folder = dirname(path);
  const verification = await verifyLoad(record, (file) => readFile(join(folder, file)));
  process.stdout.write(
    renderLoadVerification(verification, { path, unicode: isatty(process.stdout.fd) }),
  );
  return verifyExitCodes[verification.outcome];
}

/** The outcome for a terminal: a row for each step, then what is wrong, then the answer. */
export function renderLoadVerification(
  { outcome, steps, foundRate, problems }: LoadVerification,
  { path, unicode }: { readonly path: string; readonly unicode: boolean },
): string {
  const rows = steps.map(({ step, hash, arrivals, stages, verdict }) => [
    String(step),
    ...[hash, arrivals, stages, verdict].map((each) => agreementWords[each]),
  ]);
  const head = ["step", "SHA-256", "arrivals", "counts and histograms", "verdict"];
  const parts = [
    ...(rows.length === 0 ? [] : [drawTable(head, rows, { unicode })]),
    ...(foundRate === "unchecked"
      ? []
      : [`The found rate, from the verdicts: ${agreementWords[foundRate]}`]),
    ...(problems.length === 0 ? [] : [problems.join("\n")]),
    ...(outcome === "agrees" ? [neverVerifiedOfLoads] : []),
    answers[outcome](path),
  ];
  return `${terminalText(parts.join("\n\n"), { unicode })}\n`;
}

const answers: Readonly<Record<LoadVerification["outcome"], (path: string) => string>> = {
  agrees: (path) => `${path} agrees with its raw samples.`,
  differs: (path) =>
    `${path} differs from its raw samples or its seed: do not quote it. Take an intact copy, or run ` +
    `the load again.`,
  nothing: (path) =>
    `${path} has no step that ended, so there is nothing to verify. Run \`streamgauge load\` again.`,
};
