import { InvalidRecordError } from "@streamgauge/bench/record";
import { printable } from "@streamgauge/bench/tables";
import { Command } from "commander";
import { findRecords } from "../files/find-record.js";
import { renderClasses } from "../sections/classes.js";

/** `streamgauge-report classes`: machine types against each other. */
export function classesCommand(): Command {
  return new Command("classes")
    .description(
      "Print, in Markdown, what a run on many machines says of each type of machine, claim by claim.",
    )
    .argument("<folder>", "what --out of `streamgauge bench --fleet` named")
    .showHelpAfterError("Add --help for an example.")
    .addHelpText(
      "after",
      `
Example:
  $ streamgauge-report classes results/two-types`,
    )
    .action(async (folder: string) => {
      const skipped: string[] = [];
      const found = await findRecords(folder, undefined, (message) => skipped.push(message));
      for (const message of skipped) process.stderr.write(`${printable(message)}\n`);
      if (found.length === 0) {
        throw new InvalidRecordError(
          `There is no record under ${folder}: give the folder that --out of \`streamgauge bench ` +
            `--fleet\` named.`,
        );
      }
      process.stdout.write(renderClasses(found.map(({ record }) => record)));
    });
}
