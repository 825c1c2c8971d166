import { Command } from "commander";
import { describeFigures } from "../markers/figures.js";

/** `streamgauge-report figures`: what the markers of documents can ask for. */
export function figuresCommand(): Command {
  return new Command("figures")
    .description("List what a marker in a document can ask for.")
    .showHelpAfterError("Add --help for how a marker is written.")
    .addHelpText(
      "after",
      `
In a line, behind a word:
  It costs <!-- sg:overhead cell=pequod-pooled-10 mode=stream -->4.3 %<!-- /sg -->.

On lines of their own, for a block:
  <!-- sg:overhead-table scenario=model -->
  <!-- /sg -->

Values with blanks stand in quotes. Beside its own, every figure takes from=: the name of
a record's folder, or of a part that a record may have (a scenario, ledger, engine, …); the
part is that of the report's record, or of the newest other that has it (engine: of the newest
of all). from=other:<part> is the newest record that has the part and is not the report's.`,
    )
    .action(() => {
      process.stdout.write(describeFigures());
    });
}
