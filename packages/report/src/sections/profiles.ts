import {
  profilesOfKind,
  type ProfileFindings,
  type ProfileMeasurement,
  type ResultRecord,
} from "@streamgauge/bench/record";
import { percentWithInterval, withInterval } from "../text/numbers.js";
import { ledger, operators } from "./profile-stages.js";
import { allocations, asyncActivity, cpuProfile, timeline } from "./profile-threads.js";
import { modeColumns, modeHead, section } from "./section.js";

const kindNames: Readonly<Record<ProfileFindings["kind"], string>> = {
  cpuProfile: "CPU profile",
  allocations: "allocations",
  timeline: "timeline",
  asyncActivity: "promises",
  operators: "operators",
  ledger: "ledger",
};

/** What instruments saw, after what turning them on costs; nothing where there were none. */
export function profiles(record: ResultRecord): string[] {
  return [
    costOfProfiles(record),
    ...cpuProfile(record, profilesOfKind(record, "cpuProfile")),
    ...allocations(record, profilesOfKind(record, "allocations")),
    ...timeline(record, profilesOfKind(record, "timeline")),
    asyncActivity(record, profilesOfKind(record, "asyncActivity")),
    operators(record, profilesOfKind(record, "operators")),
    ledger(record, profilesOfKind(record, "ledger")),
  ];
}

function costOfProfiles(record: ResultRecord): string {
  const measured = record.profiles ?? [];
  const rows = measured.map((profile) => {
    const { blocks, control, overhead, costMicrosecondsPerToken: cost } = profile.cost;
    return [
      kindNames[profile.findings.kind],
      ...modeColumns(profile),
      overhead === null ? "–" : percentWithInterval(overhead.hodgesLehmann),
      cost === null ? "–" : withInterval(cost.hodgesLehmann),
      control === null ? "–" : percentWithInterval(control.hodgesLehmann),
      String(blocks),
      String(profile.generations),
    ];
  });
  return section(record, "Profiles, and what they cost", rows, {
    head: [
      "profile",
      ...modeHead,
      "cost",
      "µs per token",
      "off again against off",
      "blocks",
      "generations seen",
    ],
    definitions: ["cost of a profile"],
    notes: measured.filter(({ files }) => files.length > 0).map(filesOf),
  });
}

function filesOf({ findings, files, ...profile }: ProfileMeasurement): string {
  const [model, host, tokens, mode] = modeColumns(profile);
  const which = `${kindNames[findings.kind]} of ${model}, ${host}, ${mode}, ${tokens} tokens`;
  return `Files with the ${which}: ${files.join(", ")}.`;
}
