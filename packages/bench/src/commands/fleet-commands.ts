import { Command } from "commander";
import { needsFleet, type FleetModule } from "./needs-fleet.js";

/**
 * The commands of `@streamgauge/fleet`. It is loaded when one of them runs: no other command waits for
 * Redis's client, and `--help` lists them where it is not installed.
 */
export function fleetCommands(): readonly Command[] {
  return [
    passedOn(
      "agent",
      "Measure here for runs of other machines (needs @streamgauge/fleet).",
      (fleet) => fleet.agentCommand(),
    ),
    passedOn("fleet", "Look at agents and runs, or clean up (needs @streamgauge/fleet).", (fleet) =>
      fleet.fleetCommand(),
    ),
  ];
}

/** A command that hands all of its arguments to another of the same name. */
function passedOn(
  name: string,
  description: string,
  find: (fleet: FleetModule) => Command,
): Command {
  return new Command(name)
    .description(description)
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .argument("[arguments...]")
    .action(async (given: readonly string[]) => {
      const command = find(await needsFleet()).name(`streamgauge ${name}`);
      await command.parseAsync([...given], { from: "user" });
    });
}
