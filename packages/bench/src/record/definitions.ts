import type { Definition } from "./definition.js";
import { measurementDefinitions } from "./measurements.js";

/** What the numbers of cells mean. */
const cellDefinitions: readonly Definition[] = [
  {
    metric: "time to first token (TTFT)",
    formula: "first token delivered to user code − call made",
  },
  {
    metric: "inter-token latency (ITL)",
    formula: "delivered(i) − delivered(i−1), every raw gap, never interpolated",
  },
  {
    metric: "time per output token (TPOT)",
    formula: "(last delivered − first delivered) / (n − 1); median over blocks",
  },
  {
    metric: "tokens made (n)",
    formula:
      "as many as were asked for; where generations end by themselves, what the server counted " +
      "for each run, and runs are compared by the token: T / n instead of T",
  },
  { metric: "end-to-end latency", formula: "result settled − call made; median over blocks" },
  {
    metric: "output throughput",
    formula: "n / end-to-end latency, tokens per second; median over blocks",
  },
  {
    metric: "delivery latency",
    formula:
      "delivered(i) − produced(i), per token, across threads; below the clock's resolution it " +
      "is 0",
  },
  {
    metric: "callback time",
    formula:
      "inside the user's callback, until a promise that it returns has settled, per token; part " +
      "of the absolute cost; per token: median over blocks",
  },
  {
    metric: "overhead",
    formula:
      "ln(T_mode / T_generate) per block, T = end-to-end latency; over samples by Hodges–Lehmann " +
      "with the exact Wilcoxon signed-rank interval (95 %), and by the mean with the wider of " +
      "Student's t and the same corrected for skewness (Hall 1992); " +
      "shown as exp(x) − 1 in %",
  },
  {
    metric: "absolute cost",
    formula: "(T_mode − T_generate) / n per block, µs per token; over samples as for overhead",
  },
  {
    metric: "break-even",
    formula: "absolute cost / limit: the token time at which the limit would just be reached",
  },
  {
    metric: "sample level",
    formula:
      "of eight processes or more the mean of each is one sample, and intervals are about any " +
      "process; of fewer, intervals are about these processes only, of batches of blocks so long " +
      "(3 (1 + ρ) / (1 − ρ), ρ = correlation of a block with the next, plus 1.5 standard errors) that " +
      "their correlation has died",
  },
  {
    metric: "smallest detectable effect",
    formula:
      "(t.95 + t.90) · standard error of the mean log-ratio; of n process means s / √n, " +
      "s = their standard deviation",
  },
  {
    metric: "tail overhead",
    formula:
      "p95(T_mode) / p95(T_generate) − 1, each percentile by nearest rank over the runs of all " +
      "blocks; BCa bootstrap (95 %), whole blocks drawn again within their process",
  },
  {
    metric: "control",
    formula:
      "generate against generate again, in the metric of the claim; c, the room it leaves: the " +
      "largest absolute value of both estimators' one-sided 95 % bounds (on the scale of " +
      "logarithms for an overhead); it shows a difference when both 95 % intervals exclude none",
  },
  {
    metric: "verdict",
    formula:
      "from process means, at least 8 processes and 59 blocks; upheld: both one-sided 95 % upper " +
      "bounds + c < limit; refuted: both lower bounds − c > limit; else void when the control " +
      "shows a difference, and inconclusive when not",
  },
  {
    metric: "look",
    formula:
      "a moment planned before the run at which verdicts are looked for, after so many " +
      "processes; each look has a stricter level, so that all together err as often as one " +
      "would at 95 %; a claim is decided at the first look that can",
  },
  {
    metric: "difference",
    formula:
      "the overhead, claimed to be none: upheld when both estimators' 90 % intervals lie within " +
      "± the limit (two one-sided tests at 5 %), refuted when both lie outside, otherwise " +
      "inconclusive",
  },
  {
    metric: "net overhead",
    formula:
      "(1 + overhead with an injected delay) / (1 + overhead with none) − 1; on the scale of " +
      "logarithms the half-widths of the two intervals add as independent errors do",
  },
  {
    metric: "over machines",
    formula:
      "ln(T_mode / T_generate), averaged over the blocks of a process, the processes of a machine, and " +
      "machines; Student's t over machine means, with a correction for skewness; standard deviations " +
      "of machines, processes and blocks by a nested analysis of variance over unweighted means",
  },
  {
    metric: "endpoint ratio",
    formula:
      "T_first / T_second per block, both in the same mode with the same prompt; over blocks as " +
      "for overhead; below 1 the first is faster",
  },
  {
    metric: "peak memory",
    formula:
      "largest sample after a run; resident set of the process with its workers, JS heap, " +
      "external and array-buffer bytes of the consuming thread",
  },
  {
    metric: "bytes per token",
    formula:
      "allocated in a thread's JavaScript heap, garbage included, by the sampling heap " +
      "profiler, divided by the tokens made; what lies behind typed arrays is in the peak only",
  },
  {
    metric: "CPU cost",
    formula:
      "user + system time of the process with its workers per token; event-loop utilisation of " +
      "the consuming thread: time not idle / time",
  },
];

/**
 * What each reported number means. Tools disagree on these names (one "TPOT"
 * includes the first token, another does not), so every record carries its own.
 */
export const definitions: readonly Definition[] = [
  ...cellDefinitions,
  ...Object.values(measurementDefinitions).flat(),
];
