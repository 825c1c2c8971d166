import type { ProfileFindings, ResultRecord } from "@streamgauge/bench/record";
import { wholeRecord } from "./whole-record.js";

/** Markup, ends of scripts and attributes, an expression, line ends, control characters, half a pair. */
export const hostile =
  "<script>document.title='owned'</script>\"'><img src=x onerror=alert(1)>{{1+1}}\n\r]]>--> \u0000\u0007 \uD800 __proto__";

/** The whole record with hostile strings wherever it has a name of its own. */
export async function hostileRecord(): Promise<ResultRecord> {
  const record = await wholeRecord();
  const id = (name: string): string => `${hostile} ${name}`;
  return {
    ...record,
    runId: hostile,
    profile: hostile,
    environment: { ...record.environment, cpuModel: hostile, operatingSystem: hostile },
    cells: record.cells.map((cell) => ({
      ...cell,
      id: id(cell.id),
      scenario: hostile,
      model: hostile,
      generator: hostile,
      host: hostile,
    })),
    claims: record.claims.map((claim) => ({ ...claim, cell: id(claim.cell), reasons: [hostile] })),
    profiles: (record.profiles ?? []).map((profile) => ({
      ...profile,
      model: hostile,
      host: hostile,
      findings: hostileFindings(profile.findings),
    })),
    definitions: record.definitions.map(() => ({ metric: hostile, formula: hostile })),
  };
}

function hostileFindings(findings: ProfileFindings): ProfileFindings {
  switch (findings.kind) {
    case "timeline":
      return {
        ...findings,
        slowestGaps: findings.slowestGaps.map((gap) => ({ ...gap, cause: hostile })),
      };
    case "cpuProfile":
      return {
        ...findings,
        callTrees: (findings.callTrees ?? []).map(({ thread, nodes }) => ({
          thread: `${hostile} ${thread}`,
          nodes: nodes.map((node) => ({ ...node, name: hostile, file: hostile })),
        })),
      };
    default:
      return findings;
  }
}
