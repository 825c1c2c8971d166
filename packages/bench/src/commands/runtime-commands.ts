import { Command } from "commander";
import { missingPackage, needsRuntime } from "../plan/needs-runtime.js";

const load = () => import("@streamgauge/runtime/cli");

/**
 * The commands of `@streamgauge/runtime`. Where it is not installed, commands of the same
 * names, which say so.
 */
export async function runtimeCommands(): Promise<readonly Command[]> {
  try {
    const runtime = await load();
    return [
      runtime.generateCommand(),
      runtime.demoCommand(),
      runtime.buildModelCommand(),
      runtime.checkModelCommand(),
      runtime.tuneCommand(),
      runtime.pullCommand(),
    ];
  } catch (error) {
    if (missingPackage(error) === undefined) throw error;
    return ["generate", "demo", "build-model", "check-model", "tune", "pull"].map((name) =>
      new Command(name)
        .description("(needs @streamgauge/runtime, which is not installed)")
        .allowUnknownOption()
        .allowExcessArguments()
        .helpOption(false)
        .action(async () => void (await needsRuntime(load))),
    );
  }
}
