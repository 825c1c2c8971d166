import { InvalidArgumentError, Option } from "commander";

/** Refuses `--model` where a command runs models of its own, and says why. */
export function refuseModel(why: string): Option {
  return new Option("--model <name>").hideHelp().argParser(() => {
    throw new InvalidArgumentError(why);
  });
}
