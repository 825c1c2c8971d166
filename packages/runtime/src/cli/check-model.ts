import { printable, printableJson } from "@streamgauge/core";
import { basename } from "node:path";
import { Command } from "commander";
import { isRight, type CheckedPart } from "../check/check-generations.js";
import type { ModelCheck } from "../check/check-model.js";
import type { CheckProgress } from "../check/check-progress.js";
import type { CheckedText } from "../check/check-text.js";
import { hubNameOf } from "../hub/hub-cache.js";
import {
  addEngineFlags,
  engineOptionsOf,
  modelFolderDescription,
  type EngineFlags,
} from "./engine-flags.js";
import { interruptible } from "./interruptible.js";
import { startBar } from "./progress-bar.js";

interface CheckFlags extends Omit<EngineFlags, "model" | "maxBatch"> {
  readonly json?: true;
}

const exitCodes = { right: 0, wrong: 1, refused: 2 } as const;

/** The `check-model` command: whether a folder makes the ids that it should. */
export function checkModelCommand(): Command {
  const command = new Command("check-model")
    .description("Check whether a model folder makes the right ids, in every way to run it.")
    .argument("[folder]", modelFolderDescription);
  return addEngineFlags(command, ["dtype", "executionProvider", "threads"])
    .option("--json", "print everything that was found as JSON")
    .addHelpText(
      "after",
      `
Generates greedily alone, in further turns, cut back, in pieces and beside others, and compares each id
and its log-probability with a run of all ids without a cache. Exit codes: 0 right, 1 wrong (it says
where), 2 refused (it says why).

Examples:
  $ streamgauge check-model ./models/smol --dtype q4
  $ streamgauge check-model hub:owner/name --json`,
    )
    .action(check);
}

async function check(folder: string | undefined, flags: CheckFlags): Promise<void> {
  const display = createDisplay(process.stderr);
  const found = await interruptible(
    async (signal) => {
      const { checkModel } = await import("../check/check-model.js");
      return await checkModel({
        ...(folder !== undefined && { model: folder }),
        ...engineOptionsOf(flags),
        onProgress: (progress) => display.update(progress),
        signal,
      });
    },
    { display, message: "Interrupted." },
  );
  if (found === undefined) return;
  const { refusal } = found;
  const plain = { ...found, refusal: refusal && { code: refusal.code, message: refusal.message } };
  const text =
    flags.json === true
      ? printableJson(JSON.stringify(plain, undefined, 2))
      : formatModelCheck(found);
  process.stdout.write(`${text}\n`);
  process.exitCode = exitCodes[found.verdict];
}

/** For people: how the graph is run, each part, and the verdict, without what a terminal obeys. */
export function formatModelCheck(checked: ModelCheck): string {
  return printable(describeCheck(checked));
}

function describeCheck({ verdict, folder, refusal, description, parts, text }: ModelCheck): string {
  if (description === undefined || text === undefined) {
    return `refused: ${hubNameOf(folder)?.name ?? basename(folder)}\n${refusal?.code ?? ""}: ${refusal?.message ?? ""}`;
  }
  const { architecture, dtype, vocabularySize, contextLength, threads, reasons } = description;
  const rows: [string, string, string][] = [
    ["cache", description.cache, reasons.cache ?? ""],
    ["at once", String(description.maxBatch), reasons.maxBatch ?? ""],
    ["prefix reuse", description.prefixReuse, reasons.prefixReuse ?? ""],
    ...parts.map((part): [string, string, string] => [
      part.name,
      isRight(part) ? "right" : "wrong",
      describePart(part),
    ]),
    ["tokenizer", text.tokenizer, describeChanges(text)],
    ["chat template", text.chatTemplate, text.chatDetail],
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map(([name, what, detail]) =>
    `  ${name.padEnd(widths[0] ?? 0)}  ${what.padEnd(widths[1] ?? 0)}  ${detail}`.trimEnd(),
  );
  const wrong = parts.find((part) => !isRight(part));
  const conclusion =
    wrong === undefined
      ? "right: every id is the one that a run without a cache chooses"
      : `wrong: ${wrong.name}, from token ${wrong.difference?.index ?? 0} on`;
  return [
    `${description.model}: ${architecture}, ${dtype}, ${vocabularySize} ids, context ` +
      `${contextLength}, ${threads} thread${threads === 1 ? "" : "s"}`,
    ...lines,
    verdict === "refused" ? "refused" : conclusion,
  ].join("\n");
}

function describePart(part: CheckedPart): string {
  const { tokens, largestLogprobDifference, difference, failure } = part;
  if (failure !== undefined) return failure;
  if (difference === undefined) {
    return `${tokens} tokens, log-probabilities within ${largestLogprobDifference.toExponential(0)}`;
  }
  const { index, promptTokens, id, logprob, expectedId, expectedLogprob } = difference;
  return (
    `at token ${index} behind a prompt of ${promptTokens} ids: id ${id} with a log-probability of ` +
    `${logprob.toFixed(3)}; without a cache id ${expectedId}, and ${expectedLogprob.toFixed(3)} for ${id}`
  );
}

function describeChanges({ changed }: CheckedText): string {
  const [first] = changed;
  if (first === undefined) return "";
  return `${changed.length} of them, first: ${JSON.stringify(first[0])} became ${JSON.stringify(first[1])}`;
}

interface Display {
  update(progress: CheckProgress): void;
  stop(): void;
}

/** A live line on a terminal; elsewhere nothing: the result is short. */
function createDisplay(stream: NodeJS.WriteStream): Display {
  if (!stream.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = startBar(stream, "{bar} {what}", 1);
  return {
    update({ part, doneTokens, totalTokens }) {
      bar.setTotal(Math.max(1, totalTokens));
      bar.update(doneTokens, { what: part });
    },
    stop: () => bar.stop(),
  };
}
