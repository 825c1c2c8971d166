import { StreamgaugeError } from "@streamgauge/core";
import type { Instrument, InstrumentSetting } from "./instrument.js";
import { LedgerRecorder, summarizeLedger, type LedgerRun } from "./ledger.js";

/**
 * Opens a second generator, whose ring keeps a ledger.
 *
 * @throws StreamgaugeError `INVALID_OPTION` where tokens cross no ring
 */
export async function openLedgerInstrument({
  context,
  treatment,
  tokens,
}: InstrumentSetting): Promise<Instrument> {
  const { plan, clock } = context;
  if (plan.host !== "pooled" || treatment === "generate") {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      `There is no ledger of ${treatment} on ${plan.id} (${plan.host}): only a stream of a pooled ` +
        `generator crosses a ring, which is what keeps one. Measure such a stream.`,
    );
  }
  const generator = await context.open({ ...plan, ring: { ...plan.ring, ledger: true } });
  const recorder = new LedgerRecorder(clock, tokens);
  const runs: LedgerRun[] = [];
  let closed: Promise<void> | undefined;
  return {
    generator,
    recorder,
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    keep({ endToEndNanoseconds, result }) {
      runs.push({
        endToEndNanoseconds,
        timings: result.timings,
        times: recorder.takeLedger(),
      });
    },
    conclude: () => Promise.resolve({ files: [], findings: summarizeLedger(runs) }),
    close: () => (closed ??= generator.close()),
  };
}
