import { printableJson } from "@streamgauge/core";
import { Command, InvalidArgumentError, Option } from "commander";
import { lengthForms } from "../load/length.js";
import { loadLines } from "../load/load-lines.js";
import { summarizeLoad } from "../load/load-summary.js";
import { limitForms } from "../load/objective.js";
import { runLoad, type LoadOutcome } from "../load/run-load.js";
import { totalsOf } from "../load/stage-counts.js";
import type { LoadProgress } from "../load/step-offerer.js";
import type { LoadRecord } from "../record/index.js";
import type { FleetTarget } from "../run/parts/index.js";
import { shellWord } from "../summary/shell-word.js";
import { outputLook } from "../terminal/output-look.js";
import { addServerFlags } from "./endpoint-flags.js";
import { addFleetFlags, fleetOf, type FleetFlags } from "./fleet-flags.js";
import { interruptible } from "./in-terminal.js";
import { defaultSeconds, loadOptionsOf, type LoadFlags } from "./load-flags.js";
import { needsFleet } from "./needs-fleet.js";
import { parseCount, parseInteger, parsePercent } from "./option-values.js";
import { placeOf } from "./run-place.js";

interface Flags extends LoadFlags, FleetFlags {
  readonly enforce?: true;
  readonly json?: true;
}

/** The `load` command of the command line. */
export function loadCommand(): Command {
  const command = new Command("load")
    .description("Send requests at set rates, and say how long users would wait.")
    .argument("[module]", "instead of --url: a JavaScript module that exports a scenario");
  addServerFlags(command)
    .option("--model <name>", "the server's name of the model")
    .option("--scenario <name>", "which of the module's, where it has several")
    .option("--rate <list>", "requests per second: 10, or 10,20,40 one after the other")
    .option("--ramp <list>", "from one rate evenly to the next without a pause, as 10,100,100")
    .option("--trace <file>", "replay a trace: .jsonl as Mooncake's, .csv as BurstGPT's")
    .option("--find-rate", "look for the highest rate that meets --slo, from --rate (default: 1)")
    .option("--seconds <count>", `of each rate or leg (default: ${defaultSeconds})`, parseAbove0)
    .addOption(
      new Option("--arrivals <kind>", "drawn, or at even distances (default: poisson)").choices([
        "poisson",
        "constant",
      ]),
    )
    .option("--speed <factor>", "of the trace (default: 1)", parseAbove0)
    .option("--seed <integer>", "of arrivals, prompts and lengths (default: drawn)", parseInteger)
    .option("--prompts <file>", "text lines, .jsonl, or .json as ShareGPT's")
    .option("--input-tokens <length>", `words of drawn prompts (default: 128): ${lengthForms}`)
    .option("--output-tokens <length>", "most tokens of an answer, in the same forms (default: 64)")
    .option("--ignore-eos", "ask vLLM, SGLang or llama.cpp to fill every answer up")
    .option("--slo <limits>", `what a good request keeps: ${limitForms}`)
    .option("--good <percent>", "of the requests that have to be good (default: 99)", parsePercent)
    .option("--precision <percent>", "of the found rate (default: 5)", parsePercent)
    .option("--max-concurrency <count>", "in flight at once (default: no limit)", parseCount)
    .option("--timeout <seconds>", "longest time of a request (default: 300)", parseAbove0)
    .option("--out <folder>", "where record.json and raw/ go (default: results/local/<run id>)")
    .option("--enforce", "exit with 1 when the objective is missed")
    .option("--json", "print the answer as JSON, and nothing else");
  return addFleetFlags(command)
    .addHelpText(
      "after",
      `
Requests are sent when they are due, whether or not earlier ones have ended, and all latencies count
from that moment. docs/load.md says more.

Exit codes: 0 done, 1 an error, no answer at all, or a missed objective with --enforce, 130
interrupted. The first Ctrl-C stops what is in flight and keeps what is done.

Examples:
  $ streamgauge load --url http://127.0.0.1:8080/v1 --model whale --chat --rate 10,20,40
  $ streamgauge load --url http://127.0.0.1:8080/v1 --model whale --ramp 5,50 --seconds 120
  $ streamgauge load --url http://127.0.0.1:8080/v1 --model whale --find-rate --slo ttft=500ms,itl=50ms
  $ streamgauge load --url http://10.0.0.9/v1 --model whale --rate 500 --fleet redis://10.0.0.5 --agents 3
  $ streamgauge load my-engine.bench.js --rate 5 --output-tokens 64-256`,
    )
    .action(async (module: string | undefined, flags: Flags) => {
      process.exitCode = await loadInTerminal(module, flags);
    });
}

async function loadInTerminal(module: string | undefined, flags: Flags): Promise<number> {
  const fleet = fleetOf(flags);
  const options = await loadOptionsOf(module === undefined ? [] : [module], flags);
  const offer = await loaderOf(fleet);
  const outcome = await interruptible(
    { whatFollows: "Stopping the requests in flight", describe: describeProgress },
    (watch) => offer({ ...options, ...watch }),
  );
  process.stdout.write(outcomeText(outcome, flags.json === true));
  return loadExitCode(outcome.record, flags.enforce === true);
}

/** This machine, or the agents of a fleet. */
async function loaderOf(fleet: FleetTarget | undefined): Promise<typeof runLoad> {
  if (fleet === undefined) return runLoad;
  const { loadOnFleet } = await needsFleet();
  return async (options) => await loadOnFleet(options, fleet);
}

function outcomeText({ record, path }: LoadOutcome, isJson: boolean): string {
  const { recordPath, folder, benchCommand } = placeOf(path);
  const summary = summarizeLoad(record, recordPath);
  if (isJson) return `${printableJson(JSON.stringify(summary, null, 2))}\n`;
  const verify = `${benchCommand} verify ${shellWord(folder)}`;
  return `\n${loadLines(summary, verify, outputLook()).join("\n")}\n`;
}

/** The exit code that a finished load stands for. */
export function loadExitCode(record: LoadRecord, enforce: boolean): number {
  if (record.status === "interrupted") return 130;
  if (totalsOf(record.steps.flatMap(({ stages }) => stages)).completed === 0) return 1;
  if (!enforce) return 0;
  const { foundRate, steps } = record;
  const isMissed =
    foundRate === null
      ? steps.some(({ verdict }) => verdict === "missed")
      : foundRate.metPerSecond === null;
  return isMissed ? 1 : 0;
}

function describeProgress({ subject, sent, offered, inFlight }: LoadProgress): string {
  if (sent === undefined) return subject;
  return `${subject}: ${sent} of ${offered} sent, ${inFlight} in flight`;
}

function parseAbove0(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value < Infinity) return value;
  throw new InvalidArgumentError("It must be a number > 0.");
}
