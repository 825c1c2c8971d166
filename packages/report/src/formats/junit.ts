import type { ClaimResult, ResultRecord } from "@streamgauge/bench/record";
import { inUnitOf, printable } from "@streamgauge/bench/tables";
import { create } from "xmlbuilder2";
import { modeKeys } from "./measured-modes.js";

/**
 * The claims as JUnit XML: an upheld claim passes, a refuted one fails, and one
 * that is inconclusive or void is skipped, with the record's reasons.
 */
export function renderJUnit(record: ResultRecord): string {
  const { claims } = record;
  const counts = {
    tests: claims.length,
    failures: claims.filter(({ verdict }) => verdict === "refuted").length,
    errors: 0,
    skipped: claims.filter(({ verdict }) => isUnsettled(verdict)).length,
  };
  const document = create({
    version: "1.0",
    encoding: "UTF-8",
    // XML 1.0 has no way to write U+FFFE and U+FFFF.
    invalidCharReplacement: "\uFFFD",
  });
  const suite = document.ele("testsuites", { name: "streamgauge", ...counts }).ele("testsuite", {
    name: literal(`claims of ${record.profile}`),
    ...counts,
    time: "0",
    timestamp: literal(record.startedAt).replace(/(\.\d+)?Z$/, ""),
  });
  const properties = suite.ele("properties");
  for (const [name, value] of propertiesOf(record)) {
    properties.ele("property", { name, value: literal(value) });
  }
  for (const claim of claims) {
    const test = suite.ele("testcase", {
      name: literal(
        `${claim.id}: ${claim.cell}, ${modeKeys[claim.treatment]}, ${claim.metric} ${limitOf(claim)}`,
      ),
      classname: `streamgauge.${claim.metric}`,
      time: "0",
    });
    const message = literal(`${claim.verdict}: ${claim.reasons.join(" ")}`);
    if (claim.verdict === "refuted") {
      test.ele("failure", { message, type: "refuted" }).txt(literal(claim.reasons.join("\n")));
    } else if (isUnsettled(claim.verdict)) test.ele("skipped", { message });
  }
  return `${document.end({ prettyPrint: true })}\n`;
}

/** The library takes `&lt;` in a text for markup that is escaped already, and would not escape it. */
function literal(text: string): string {
  return printable(text).replaceAll("&", "&amp;");
}

function isUnsettled(verdict: ClaimResult["verdict"]): boolean {
  return verdict === "inconclusive" || verdict === "void";
}

function limitOf(claim: ClaimResult): string {
  const limit = inUnitOf(claim, claim.limit);
  return claim.metric === "difference" ? `within ± ${limit}` : `below ${limit}`;
}

function propertiesOf({ runId, status, environment }: ResultRecord): [string, string][] {
  return [
    ["run", runId],
    ["status", status],
    ["cpu", environment.cpuModel],
    ["node", environment.nodeVersion],
    ["commit", environment.git?.commit ?? "unknown"],
  ];
}
