import type { Definition } from "./result-record.js";

/**
 * What each reported number means. Tools disagree on these names (one "TPOT"
 * includes the first token, another does not), so every record carries its own.
 */
export const definitions: readonly Definition[] = [
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
      "ln(T_mode / T_generate) per block, T = end-to-end latency; over blocks by Hodges–Lehmann " +
      "with the exact Wilcoxon signed-rank interval (95 %), and by the mean with Student's t; " +
      "shown as exp(x) − 1 in %",
  },
  {
    metric: "absolute cost",
    formula: "(T_mode − T_generate) / n per block, µs per token; over blocks as for overhead",
  },
  {
    metric: "break-even",
    formula: "absolute cost / limit: the token time at which the limit would just be reached",
  },
  {
    metric: "sample level",
    formula:
      "what is one sample: a block, or the mean of a process, where an F test at 25 % finds " +
      "that processes differ by more than their blocks explain; too few processes: they differ, " +
      "and fewer than six are no interval",
  },
  {
    metric: "smallest detectable effect",
    formula: "(t.95 + t.90) · s / √n, s = standard deviation of the n block log-ratios",
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
      "generate against generate again, in the metric of the claim; equivalent when both estimators' 90 % " +
      "intervals lie within ± a quarter of the limit (TOST at 5 %)",
  },
  {
    metric: "verdict",
    formula:
      "upheld: both one-sided 95 % upper bounds < limit; refuted: both lower bounds > limit; " +
      "otherwise inconclusive; void when the control fails",
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
  {
    metric: "timer lateness",
    formula: "fired − (armed + period), of a timer armed again each time it fires",
  },
  {
    metric: "arrivals",
    formula:
      "a Poisson process of the offered rate, drawn before the run; each generation is asked " +
      "for at its due moment, whether or not earlier ones are done (an open loop)",
  },
  {
    metric: "offered load",
    formula: "arrival rate × time of one generation alone / workers: 1 is all that they can do",
  },
  {
    metric: "latency from the due moment",
    formula:
      "first token delivered, or result settled, − moment at which the generation was due: " +
      "waiting counts, and so does a late call",
  },
  {
    metric: "service time",
    formula:
      "result settled − moment at which the engine began with the generation: what a closed " +
      "loop would report, the waiting left out (coordinated omission)",
  },
  {
    metric: "abort latency",
    formula: "result settled − abort requested; the result settles after its producer has stopped",
  },
  {
    metric: "wasted tokens",
    formula: "tokens made − tokens delivered, of aborted generations",
  },
  {
    metric: "slow consumer",
    formula:
      "keeps each token for a set time, longer than the engine takes to make it; slowdown: call " +
      "to result / time that the consumer took for all tokens, 1 where it alone sets the pace; " +
      "waiting: made and not yet delivered, the most at one moment",
  },
  {
    metric: "transport load",
    formula:
      "the same tokens by every transport, once in each block; in a burst as fast as the " +
      "transport takes them; otherwise the producer takes a turn of its event loop before each " +
      "token and sleeps, because spinning would be counted as the transport's CPU time",
  },
  {
    metric: "CPU of a transport",
    formula:
      "user + system time of the process (both threads, and what collects their garbage) over " +
      "a run / tokens, median over blocks; less the load: minus that of the block's run which " +
      "makes the tokens and delivers none, by Hodges–Lehmann (95 %); tokens/s: from the order " +
      "until all are delivered and the producer is done",
  },
  {
    metric: "CPU ratio",
    formula:
      "ln(CPU of a transport / CPU of another) per block, the load included in both; over blocks " +
      "by Hodges–Lehmann with the exact Wilcoxon interval (95 %), shown as exp(x); judged as " +
      "claims are, and void unless the other against itself is shown to be 1 within a quarter",
  },
  {
    metric: "engine comparison",
    formula:
      "the same ids from the same file by every contender, once in each block, one at a time; " +
      "medians over blocks; tokens/s: 1000 / ms per token; decoding: (last token − first token) / " +
      "(n − 1), the prompt left out; streams: (last token of all − first call) / tokens of all",
  },
  {
    metric: "engine ratio",
    formula:
      "ln(value of a contender / value of another) per block, less is better; over blocks by " +
      "Hodges–Lehmann with the exact Wilcoxon interval (95 %), shown as exp(x), and by the mean " +
      "with Student's t; judged as claims are, and void unless the other against itself is shown " +
      "to be 1 within a quarter; of fewer than six blocks the range of all quotients",
  },
  {
    metric: "cost of a profile",
    formula:
      "the mode with the instrument on against the same mode with it off, in interleaved blocks " +
      "of (off, off again, on); off again against off shows what the blocks report where there " +
      "is no difference",
  },
  {
    metric: "CPU profile",
    formula:
      "samples of each thread's stack, by whose code is on top, without what it calls; shares " +
      "are of the thread's time that was not idle; of a tree of calls the 120 nodes with most time in " +
      "and under them, with 0.2 % of it at least: (rest) stands for the others",
  },
  {
    metric: "cause of a gap",
    formula:
      "the garbage collections and late event loops that overlap with most of what the gap took " +
      "longer than the median gap; unknown when they explain less than half of it",
  },
  {
    metric: "promises per token",
    formula:
      "promises made in a thread / tokens, by async hooks; reactions: time in what awaited " +
      "them, the user's own code included",
  },
  {
    metric: "operators",
    formula:
      "time in onnxruntime's operators, summed over nodes, per token, the prompt's run " +
      "included; the whole run less its operators is onnxruntime's own",
  },
  {
    metric: "ledger stages",
    formula:
      "a token's stations: made, published by the producer, consumer awake, delivered to user " +
      "code, callback done; each since the one before",
  },
  {
    metric: "residual",
    formula:
      "end-to-end latency − queue − prefill − decode − the last token's way, of each " +
      "generation: the call, and the end of the stream",
  },
];
