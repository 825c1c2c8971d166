import { isatty } from "node:tty";
import { printable } from "@streamgauge/core";
import { Command } from "commander";
import { readRecordFile } from "../run/read-record.js";
import { addToHistory, defaultHistoryFolder, readHistories } from "../history/history-file.js";
import { historyLineOf } from "../history/history-line.js";
import { renderHistory } from "../history/history-summary.js";
import { trendsOf } from "../history/trends.js";

interface HistoryFlags {
  readonly folder?: string;
  readonly metric?: string;
}

interface AddFlags {
  readonly record: string;
  readonly folder?: string;
}

const folderFlag = ["--folder <folder>", "where histories are (default: results/history)"] as const;

/** The `history` command of the command line, and `history add`. */
export function historyCommand(): Command {
  const add = new Command("add")
    .description("Add a record to the history of its class of machines, once for each commit.")
    .requiredOption("--record <file>", "a complete record of a clean commit: its file or folder")
    .option(...folderFlag)
    .addHelpText("after", "\nExample:\n  $ streamgauge history add --record results/mine")
    .action(async (_flags: AddFlags, command: Command) => {
      // Commander takes `--folder` after "add" for that of "history".
      process.stdout.write(await addRecord(command.optsWithGlobals()));
    });
  return new Command("history")
    .description("Show how times changed from commit to commit.")
    .option(...folderFlag)
    .option("--metric <text>", "only metrics whose names contain this")
    .addHelpText(
      "after",
      `
Each class of machines (CPU model, cores, platform, major version of Node) has a history of its
own: times of different machines do not compare. A change of the level is shown at p ≤ 0.02, by a
likelihood ratio that allows for correlated neighbours.

Exit codes: 0 done, 1 an error, such as a damaged line.

Examples:
  $ streamgauge history add --record results/mine/record.json
  $ streamgauge history --metric "stream µs/token"`,
    )
    .action(async (flags: HistoryFlags) => {
      process.stdout.write(await list(flags));
    })
    .addCommand(add);
}

async function addRecord({ record, folder = defaultHistoryFolder() }: AddFlags): Promise<string> {
  const line = historyLineOf(await readRecordFile(record));
  const { path, added } = await addToHistory(folder, line);
  const commit = line.commit.slice(0, 9);
  const text = added
    ? `Added ${commit} to ${path}.\n`
    : `${commit} is in ${path} already: nothing to add.\n`;
  return printable(text);
}

async function list({ folder = defaultHistoryFolder(), metric }: HistoryFlags): Promise<string> {
  const histories = await readHistories(folder);
  if (histories.length === 0) {
    return `There is no history in ${folder} yet: \`streamgauge history add --record <file>\` begins one.\n`;
  }
  const unicode = isatty(process.stdout.fd);
  return histories
    .map((history) => {
      const trends = trendsOf(history).filter(
        ({ metric: name }) => metric === undefined || name.includes(metric),
      );
      return renderHistory(history.machine, trends, { unicode });
    })
    .join("\n");
}
