import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { invalidOption } from "@streamgauge/core";
import { parseLength } from "../load/length.js";
import type { LoadPlanOptions, Offer } from "../load/load-plan.js";
import { defaultShare, parseLimits } from "../load/objective.js";
import { promptsOf, type TargetPlan } from "../load/open-target.js";
import { readRequests } from "../load/request-file.js";
import type { ListedRequest, RequestMix } from "../load/request-mix.js";
import { readTrace, type Trace } from "../load/trace-file.js";
import { planEndpoint } from "../plan/endpoint-plan.js";
import { endpointOf, type EndpointFlags } from "./endpoint-flags.js";

/** What `load` is told. */
export interface LoadFlags extends Pick<EndpointFlags, "url" | "model" | "chat" | "keyEnv"> {
  readonly scenario?: string;
  readonly rate?: string;
  readonly ramp?: string;
  readonly trace?: string;
  readonly findRate?: true;
  readonly seconds?: number;
  readonly arrivals?: "poisson" | "constant";
  readonly speed?: number;
  readonly seed?: number;
  readonly prompts?: string;
  readonly inputTokens?: string;
  readonly outputTokens?: string;
  readonly ignoreEos?: true;
  readonly slo?: string;
  readonly good?: number;
  readonly precision?: number;
  readonly maxConcurrency?: number;
  readonly timeout?: number;
  readonly out?: string;
}

/** How long each rate is offered where nothing is said. */
export const defaultSeconds = 30;

const defaultInputTokens = "128";
const defaultOutputTokens = "64";

/** Where a search begins. */
const defaultStartPerSecond = 1;

/**
 * What the flags ask for.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for flags that have no meaning together, for text that is
 *   no rate, length or limit, and for files that cannot be read; `INVALID_SCENARIOS` for the module
 */
export async function loadOptionsOf(
  modules: readonly string[],
  flags: LoadFlags,
): Promise<
  LoadPlanOptions & { readonly target: TargetPlan; readonly outputFolder?: string | undefined }
> {
  refuseContradictions(flags);
  const target = await targetOf(modules, flags);
  const trace =
    flags.trace === undefined
      ? undefined
      : await readTrace(flags.trace, { speed: flags.speed, seconds: flags.seconds });
  return {
    target,
    offer: offerOf(flags, trace),
    mix: await mixOf(flags, target, trace),
    arrivals: flags.arrivals,
    seed: flags.seed,
    objective:
      flags.slo === undefined
        ? null
        : { limits: parseLimits(flags.slo), share: flags.good ?? defaultShare },
    maxConcurrency: flags.maxConcurrency,
    timeoutSeconds: flags.timeout,
    outputFolder: flags.out,
  };
}

/** Rates as `10` or `10,20,40`. @throws StreamgaugeError `INVALID_OPTION` */
export function parseRates(text: string, flag: string): readonly number[] {
  const rates = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (rates.every((rate) => rate >= 0 && rate < Infinity)) return rates;
  throw invalidOption(
    `${flag} is "${text}"; it must be one number of requests per second ≥ 0 or several, as 10,20,40.`,
  );
}

function refuseContradictions(flags: LoadFlags): void {
  const { rate, ramp, trace, findRate } = flags;
  const offers = [rate, ramp, trace].filter((offer) => offer !== undefined).length;
  if (offers > 1) {
    throw invalidOption("--rate, --ramp and --trace each say what is offered: give one of them.");
  }
  if (offers === 0 && findRate !== true) {
    throw invalidOption(
      "Nothing says what to offer: give --rate 10, --ramp 10,100, --trace <file>, or --find-rate " +
        "with an --slo.",
    );
  }
  if (findRate === true && (ramp !== undefined || trace !== undefined)) {
    throw invalidOption("--find-rate chooses its rates: leave out --ramp and --trace.");
  }
  refuseWithout("--find-rate", findRate, { "--precision": flags.precision });
  refuseWithout("--slo", flags.slo, { "--good": flags.good, "--find-rate": findRate });
  refuseWithout("--trace", trace, { "--speed": flags.speed });
  if (trace !== undefined) {
    const { arrivals, prompts, inputTokens, outputTokens } = flags;
    const given = { arrivals, prompts, inputTokens, outputTokens };
    if (Object.values(given).some((value) => value !== undefined)) {
      throw invalidOption(
        "A trace has arrivals, prompts and lengths of its own: leave out --arrivals, --prompts, " +
          "--input-tokens and --output-tokens.",
      );
    }
  }
  if (flags.prompts !== undefined && flags.inputTokens !== undefined) {
    throw invalidOption(
      "--prompts has the prompts, and --input-tokens draws them: give one of them.",
    );
  }
}

function refuseWithout(
  needed: string,
  value: unknown,
  flags: Readonly<Record<string, unknown>>,
): void {
  if (value !== undefined) return;
  const given = Object.keys(flags).find((name) => flags[name] !== undefined);
  if (given !== undefined) throw invalidOption(`${given} needs ${needed}: give it too.`);
}

async function targetOf(modules: readonly string[], flags: LoadFlags): Promise<TargetPlan> {
  const { url, model, chat, keyEnv, scenario } = flags;
  const [module, ...others] = modules;
  if (others.length > 0 || (module === undefined) === (url === undefined)) {
    throw invalidOption("A load asks one thing: give --url, or one module of scenarios.");
  }
  const options = await endpointOf({
    ...(url !== undefined && { url }),
    ...(model !== undefined && { model }),
    ...(chat !== undefined && { chat }),
    ...(keyEnv !== undefined && { keyEnv }),
  });
  if (options === undefined) {
    if (model !== undefined) {
      throw invalidOption("--model is the server's name of a model: give its --url too.");
    }
    return { kind: "module", url: pathToFileURL(resolve(module ?? "")).href, scenario };
  }
  if (scenario !== undefined) {
    throw invalidOption("--scenario is one of a module, and --url has none: leave it out.");
  }
  const {
    prompts: _prompts,
    maxTokens: _maxTokens,
    against: _against,
    ...endpoint
  } = planEndpoint(options);
  return { kind: "endpoint", ...endpoint };
}

function offerOf(flags: LoadFlags, trace: Trace | undefined): Offer {
  const { rate, ramp, findRate, seconds = defaultSeconds, precision } = flags;
  if (trace !== undefined) return { kind: "trace", dueNanoseconds: trace.dueNanoseconds };
  if (ramp !== undefined) return { kind: "ramp", perSecond: parseRates(ramp, "--ramp"), seconds };
  const rates = rate === undefined ? [] : parseRates(rate, "--rate");
  if (findRate !== true) return { kind: "rates", perSecond: rates, seconds };
  const [startPerSecond = defaultStartPerSecond, ...others] = rates;
  if (others.length > 0) {
    throw invalidOption("With --find-rate, --rate is where the search begins: give one.");
  }
  return { kind: "find", startPerSecond, seconds, precision };
}

async function mixOf(
  flags: LoadFlags,
  target: TargetPlan,
  trace: Trace | undefined,
): Promise<RequestMix> {
  const { prompts, inputTokens, outputTokens } = flags;
  const shared = {
    inputTokens: parseLength(inputTokens ?? defaultInputTokens, "--input-tokens"),
    outputTokens: parseLength(outputTokens ?? defaultOutputTokens, "--output-tokens"),
    ignoreEos: flags.ignoreEos === true,
  };
  if (trace !== undefined) return { source: "trace", list: trace.requests, ...shared };
  const listed = prompts === undefined ? [] : await readRequests(prompts);
  const own =
    prompts === undefined && inputTokens === undefined
      ? (await promptsOf(target)).map((prompt): ListedRequest => ({ prompt }))
      : [];
  const list = [...listed, ...own];
  return list.length === 0
    ? { source: "filler", list, ...shared }
    : { source: "list", list: withLengths(list, outputTokens), ...shared };
}

/** What a flag says is meant, whatever lengths a file has. */
function withLengths(
  list: readonly ListedRequest[],
  outputTokens: string | undefined,
): readonly ListedRequest[] {
  if (outputTokens === undefined) return list;
  return list.map(({ outputTokens: _of, ...request }) => request);
}
