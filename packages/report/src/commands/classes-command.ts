import { InvalidRecordError } from "@streamgauge/bench/record";
import { printable } from "@streamgauge/bench/tables";
import { Command } from "commander";
import { findRecords } from "../files/find-record.js";
import { writeOwnFiles } from "../files/own-files.js";
import { renderClassesPage } from "../html/html-classes.js";
import { renderClasses } from "../sections/classes.js";

/** `streamgauge-report classes`: machine types against each other. */
export function classesCommand(): Command {
  return new Command("classes")
    .description(
      "Print, in Markdown, what a run on many machines says of each type of machine, claim by claim.",
    )
    .argument("<folder>", "what --out of `streamgauge bench --fleet` named")
    .option("--html <file>", "write a page with charts instead: one file that needs no network")
    .showHelpAfterError("Add --help for an example.")
    .addHelpText(
      "after",
      `
Examples:
  $ streamgauge-report classes results/two-types
  $ streamgauge-report classes results/two-types --html classes.html`,
    )
    .action(async (folder: string, { html }: { readonly html?: string }) => {
      const skipped: string[] = [];
      const found = await findRecords(folder, undefined, (message) => skipped.push(message));
      for (const message of skipped) process.stderr.write(`${printable(message)}\n`);
      if (found.length === 0) {
        throw new InvalidRecordError(
          `There is no record under ${folder}: give the folder that --out of \`streamgauge bench ` +
            `--fleet\` named.`,
        );
      }
      const records = found.map(({ record }) => record);
      if (html === undefined) {
        process.stdout.write(renderClasses(records));
        return;
      }
      await writeOwnFiles([{ path: html, text: await renderClassesPage(records) }]);
      process.stderr.write(`${printable(`Wrote ${html} from the records under ${folder}.`)}\n`);
    });
}
