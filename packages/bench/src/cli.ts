import { isStreamgaugeError, printable } from "@streamgauge/core";
import { Command } from "commander";
import { benchCommand } from "./commands/bench-command.js";
import { calibrateCommand } from "./commands/calibrate-command.js";
import { stressCommand } from "./commands/stress-command.js";
import { drillCommand } from "./commands/drill-command.js";
import { soakCommand } from "./commands/soak-command.js";
import { wakeUpsCommand } from "./commands/wakeups-command.js";
import { gateCommand } from "./commands/gate-command.js";
import { historyCommand } from "./commands/history-command.js";
import { loadCommand } from "./commands/load-command.js";
import { InvalidRecordError } from "./record/index.js";
import { fleetCommands } from "./commands/fleet-commands.js";
import { runtimeCommands } from "./commands/runtime-commands.js";
import { verifyCommand } from "./commands/verify-command.js";
import { packageVersion } from "./commands/package-version.js";

const program = new Command("streamgauge")
  .version(packageVersion())
  .description("Stream tokens from a local model, and measure what streaming costs.")
  .showHelpAfterError("Add --help for the options and examples.")
  .addHelpText(
    "after",
    "\nBegin with `streamgauge demo` or `streamgauge bench`; `streamgauge bench --help` has examples.",
  )
  .addCommand(benchCommand())
  .addCommand(loadCommand())
  .addCommand(calibrateCommand())
  .addCommand(verifyCommand())
  .addCommand(stressCommand())
  .addCommand(drillCommand())
  .addCommand(soakCommand())
  .addCommand(wakeUpsCommand())
  .addCommand(gateCommand())
  .addCommand(historyCommand());

for (const command of fleetCommands()) program.addCommand(command);

try {
  for (const command of await runtimeCommands()) program.addCommand(command);
  await program.parseAsync();
} catch (error) {
  if (!isStreamgaugeError(error) && !(error instanceof InvalidRecordError)) throw error;
  process.stderr.write(`${error.code}: ${printable(error.message)}\n`);
  process.exitCode = 1;
}
