import {
  profilesOfKind,
  type ProfileFindings,
  type ProfileMeasurement,
  type ProfileOf,
  type ResultRecord,
} from "../record/index.js";
import { percentWithInterval, withInterval } from "./numbers.js";
import { ledger, operators } from "./profile-stages.js";
import { allocations, asyncActivity, cpuProfile, timeline } from "./profile-threads.js";
import { modeNames, type SummaryOptions } from "./table.js";

/** What instruments saw: a part for each kind, with what turning it on costs. */
export function profiles(record: ResultRecord, options: SummaryOptions): string[][] {
  const part = <Kind extends ProfileFindings["kind"]>(
    kind: Kind,
    tables: (profiles: readonly ProfileOf<Kind>[], options: SummaryOptions) => string[],
  ): string[] => {
    const found = profilesOfKind(record, kind);
    return [...tables(found, options), ...found.flatMap(cost)];
  };
  return [
    part("cpuProfile", cpuProfile),
    part("allocations", allocations),
    part("timeline", timeline),
    part("asyncActivity", asyncActivity),
    part("operators", operators),
    part("ledger", ledger),
  ];
}

/** Files that are named; the record has the others. */
const mostFiles = 3;

function cost(profile: ProfileMeasurement): string[] {
  const { control, overhead, costMicrosecondsPerToken, blocks } = profile.cost;
  const mode = `${profile.model} ${profile.host}, ${modeNames[profile.treatment]}`;
  const price =
    overhead === null || costMicrosecondsPerToken === null || control === null
      ? `unknown, ${blocks} blocks are too few`
      : `${percentWithInterval(overhead.hodgesLehmann)}, ` +
        `${withInterval(costMicrosecondsPerToken.hodgesLehmann)} µs per token ` +
        `(off against off ${percentWithInterval(control.hodgesLehmann)}; ${blocks} blocks)`;
  const more = profile.files.length - mostFiles;
  const files =
    profile.files.slice(0, mostFiles).join(", ") + (more > 0 ? ` and ${more} more` : "");
  return [
    `Cost of turning it on, ${mode}: ${price}; ${profile.generations} generations seen.`,
    ...(files === "" ? [] : [`  Files: ${files}`]),
  ];
}
