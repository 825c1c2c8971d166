import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isatty } from "node:tty";
import { Command } from "commander";
import { locateRecordFile, readRecordAsFarAsPossible } from "../run/read-record.js";
import type { ResultRecord } from "../record/index.js";
import { drawTable, terminalText } from "../terminal/terminal-text.js";
import { verifyRecord, type Agreement, type Verification } from "../run/verify.js";

/** The `verify` command of the command line. */
export function verifyCommand(): Command {
  return new Command("verify")
    .description("Derive a record's numbers and verdicts again from its raw samples.")
    .argument("<path>", "a record.json or record.json.gz, or the folder that it is in")
    .addHelpText(
      "after",
      `
It reads files and measures nothing. Blocks, histograms, analyses and verdicts are derived
again and compared with the record; each file is compared with the SHA-256 in the record.
Integers have to be equal, other numbers to one in 10^9.

Exit codes: 0 all agrees, 1 something differs or cannot be read, 2 there are no raw samples.

Examples:
  $ streamgauge verify results/local/2026-11-23T07-36-14.000Z
  $ streamgauge verify results/paced/record.json`,
    )
    .action(async (path: string) => {
      const recordPath = await locateRecordFile(path);
      const { record, unrestored } = await readRecordAsFarAsPossible(recordPath);
      const folder = dirname(recordPath);
      const verification = await verifyRecord(
        record,
        (file) => readFile(join(folder, file)),
        unrestored.keys(),
      );
      const unicode = isatty(process.stdout.fd);
      process.stdout.write(renderVerification(record, verification, { unicode, recordPath }));
      process.exitCode = exitCodes[verification.outcome];
    });
}

const exitCodes: Readonly<Record<Verification["outcome"], number>> = {
  agrees: 0,
  differs: 1,
  nothing: 2,
};

/** The outcome for a terminal: a row for each cell, then what is wrong, then the answer. */
export function renderVerification(
  record: ResultRecord,
  { cells, transports, engine, outcome, problems }: Verification,
  { unicode, recordPath }: { readonly unicode: boolean; readonly recordPath: string },
): string {
  const rows = cells.map((cell) => [
    cell.cell,
    cell.file ?? "-",
    words[cell.hash],
    `${cell.blockCount} ${words[cell.blocks]}`,
    words[cell.distributions],
    words[cell.analysis],
    words[cell.verdicts],
  ]);
  const head = ["cell", "raw samples", "SHA-256", "blocks", "histograms", "analysis", "verdicts"];
  const unverified = cells
    .filter(({ file, blockCount }) => file === null && blockCount > 0 && outcome === "agrees")
    .map(({ cell }) => `${cell} was running when the run ended, and has no raw samples.`);
  const origin = record.environment.packages["@streamgauge/bench"] ?? "of an unknown version";
  const parts = [
    ...(rows.length === 0 || outcome === "nothing" ? [] : [drawTable(head, rows, { unicode })]),
    ...(transports === "unchecked"
      ? []
      : [`Transports, from the blocks in the record: ${words[transports]}`]),
    ...(engine === "unchecked" ? [] : [`Engine, from the blocks in the record: ${words[engine]}`]),
    ...(problems.length > 0 && outcome !== "nothing" ? [problems.join("\n")] : []),
    ...unverified,
    `${answers[outcome](recordPath)} (Recorded by @streamgauge/bench ${origin}.)`,
  ];
  const text = parts.join("\n\n");
  return `${terminalText(text, { unicode })}\n`;
}

const words: Readonly<Record<Agreement, string>> = {
  agrees: "ok",
  differs: "DIFFERS",
  unchecked: "-",
};

const answers: Readonly<Record<Verification["outcome"], (path: string) => string>> = {
  agrees: (path) => `${path} agrees with its raw samples.`,
  differs: (path) =>
    `${path} differs from its raw samples: do not quote it. Take an intact copy, or run the bench again.`,
  nothing: (path) =>
    `${path} names no raw samples, so there is nothing to verify: it is older than they are, ` +
    `or no cell of its run has ended. Run \`streamgauge bench\` for a record that can be verified.`,
};
