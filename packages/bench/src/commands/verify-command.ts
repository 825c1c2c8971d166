import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isatty } from "node:tty";
import { Command } from "commander";
import { locateRecordFile, readRecordAsFarAsPossible } from "../run/read-record.js";
import type { ResultRecord } from "../record/index.js";
import { readClaimList } from "../conclude/claim-list.js";
import { readLoadRecord } from "../load/read-load.js";
import { drawTable, terminalText } from "../terminal/terminal-text.js";
import { neverVerified, verifyRecord, type Agreement, type Verification } from "../run/verify.js";
import { agreementWords, verifyExitCodes } from "./agreement-words.js";
import { verifyLoadInTerminal } from "./verify-load-in-terminal.js";

/** The `verify` command of the command line. */
export function verifyCommand(): Command {
  return new Command("verify")
    .description("Derive a record's numbers and verdicts again from its raw samples.")
    .argument("<path>", "a record.json or record.json.gz, or the folder that it is in")
    .option("--claims <file>", "the claims of its run, if they are not the shipped ones")
    .addHelpText(
      "after",
      `
It reads files and measures nothing. It compares each file with the SHA-256 in the record, derives
blocks, histograms, analyses and verdicts again, and compares them with the record. From the runs
and histograms in the record it derives the costs of profiles, latencies, and the results of
transports and the engine. Integers have to be equal, other numbers to one in 10^9.
All that was planned has to be there. Every claim has to be judged for every cell that it is about,
by the limits of the record's own list and of the claims file. ${neverVerified}

Of a record of \`streamgauge load\` arrivals are derived from the seed, counts, histograms and verdicts
from the raw samples, and the found rate from the verdicts.

Exit codes: 0 all agrees, 1 something differs or cannot be read, 2 there are no raw samples.

Examples:
  $ streamgauge verify results/local/2026-11-23T07-36-14.000Z
  $ streamgauge verify results/paced/record.json`,
    )
    .action(async (path: string, flags: { readonly claims?: string }) => {
      const load = await readLoadRecord(path);
      if (load !== undefined) {
        process.exitCode = await verifyLoadInTerminal(load, flags);
        return;
      }
      const recordPath = await locateRecordFile(path);
      const { record, unrestored } = await readRecordAsFarAsPossible(recordPath);
      const folder = dirname(recordPath);
      const verification = await verifyRecord(
        record,
        (file) => readFile(join(folder, file)),
        unrestored.keys(),
        flags.claims === undefined ? undefined : await readClaimList(flags.claims),
      );
      const unicode = isatty(process.stdout.fd);
      process.stdout.write(renderVerification(record, verification, { unicode, recordPath }));
      process.exitCode = verifyExitCodes[verification.outcome];
    });
}

/** The outcome for a terminal: a row for each cell, then what is wrong, then the answer. */
export function renderVerification(
  record: ResultRecord,
  verification: Verification,
  { unicode, recordPath }: { readonly unicode: boolean; readonly recordPath: string },
): string {
  const { cells, outcome, problems, notes } = verification;
  const rows = cells.map((cell) => [
    cell.cell,
    cell.file ?? "-",
    agreementWords[cell.hash],
    `${cell.blockCount} ${agreementWords[cell.blocks]}`,
    agreementWords[cell.distributions],
    agreementWords[cell.analysis],
    agreementWords[cell.verdicts],
  ]);
  const head = ["cell", "raw samples", "SHA-256", "blocks", "histograms", "analysis", "verdicts"];
  const unverified = cells
    .filter(({ file, blockCount }) => file === null && blockCount > 0 && outcome === "agrees")
    .map(({ cell }) => `${cell} was running when the run ended, and has no raw samples.`);
  const origin = record.environment.packages["@streamgauge/bench"] ?? "of an unknown version";
  const parts = [
    ...(rows.length === 0 || outcome === "nothing" ? [] : [drawTable(head, rows, { unicode })]),
    ...(outcome === "nothing" ? [] : [describeParts(record, verification)]),
    ...(problems.length > 0 && outcome !== "nothing" ? [problems.join("\n")] : []),
    ...unverified,
    ...(outcome === "nothing" || notes.length === 0 ? [] : [notes.join("\n")]),
    ...(outcome === "agrees" ? [neverVerified] : []),
    `${answers[outcome](recordPath)} (Recorded by @streamgauge/bench ${origin}.)`,
  ];
  const text = parts.join("\n\n");
  return `${terminalText(text, { unicode })}\n`;
}

/** A line for each part beside the cells that there was something to check of. */
function describeParts({ claimList }: ResultRecord, verification: Verification): string {
  const { claims, plan, transports, engine, profiles, others } = verification;
  const list =
    claimList === undefined
      ? "claims"
      : `${claimList.claims.length} claims of ${claimList.file ?? "a program"}, SHA-256 ${claimList.sha256.slice(0, 12)}…`;
  const parts: readonly (readonly [string, Agreement])[] = [
    [`Claims, each judged by its own limit (${list})`, claims],
    ["Plan, all that was planned is there", plan],
    ["Transports, from the blocks in the record", transports],
    ["Engine, from the blocks in the record", engine],
    ["Profiles' costs, from the runs in the record", profiles],
    ["Latencies from their histograms, and rates", others],
  ];
  return parts
    .filter(([, agreement]) => agreement !== "unchecked")
    .map(([what, agreement]) => `${what}: ${agreementWords[agreement]}`)
    .join("\n");
}

const answers: Readonly<Record<Verification["outcome"], (path: string) => string>> = {
  agrees: (path) => `${path} agrees with its raw samples.`,
  differs: (path) =>
    `${path} differs from its raw samples, its claims or its plan: do not quote it. Take an intact copy, or run the bench again.`,
  nothing: (path) =>
    `${path} names no raw samples, so there is nothing to verify: it is older than they are, ` +
    `or no cell of its run has ended. Run \`streamgauge bench\` for a record that can be verified.`,
};
