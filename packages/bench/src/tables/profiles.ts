import { profilesOfKind, type ProfileMeasurement, type ResultRecord } from "../record/index.js";
import { ledger, operators } from "./profile-stages.js";
import { allocations, asyncActivity, cpuProfile, timeline } from "./profile-threads.js";
import { modeNames, type Note, type Table } from "./table.js";
import { decimalEstimate, percentEstimate, phrase } from "./value.js";

/**
 * What instruments saw: of each kind that there are profiles of its tables, the last
 * of them with what turning the instrument on costs.
 */
export function profiles(record: ResultRecord): Table[][] {
  const kinds = [
    ofKind(profilesOfKind(record, "cpuProfile"), cpuProfile),
    ofKind(profilesOfKind(record, "allocations"), allocations),
    ofKind(profilesOfKind(record, "timeline"), timeline),
    ofKind(profilesOfKind(record, "asyncActivity"), asyncActivity),
    ofKind(profilesOfKind(record, "operators"), operators),
    ofKind(profilesOfKind(record, "ledger"), ledger),
  ];
  return kinds.filter((tables) => tables.length > 0);
}

function ofKind<Profile extends ProfileMeasurement>(
  found: readonly Profile[],
  tablesOf: (found: readonly Profile[]) => Table[],
): Table[] {
  if (found.length === 0) return [];
  const tables = tablesOf(found);
  const last = tables.length - 1;
  return tables.map((table, index) =>
    index === last ? { ...table, notes: found.flatMap(cost) } : table,
  );
}

/** Files that a terminal names; the record has the others. */
const mostTerminalFiles = 3;

function cost(profile: ProfileMeasurement): Note[] {
  const { files } = profile;
  const { control, overhead, costMicrosecondsPerToken, blocks } = profile.cost;
  const price =
    overhead === null || costMicrosecondsPerToken === null || control === null
      ? [`unknown, ${blocks} blocks are too few`]
      : [
          percentEstimate(overhead.hodgesLehmann),
          ", ",
          decimalEstimate(costMicrosecondsPerToken.hodgesLehmann),
          " µs per token (without it, against itself: ",
          percentEstimate(control.hodgesLehmann),
          `; ${blocks} blocks)`,
        ];
  const sentence = phrase(
    `Cost of the profile, ${profile.model} ${profile.host}, ${modeNames[profile.treatment]}: `,
    ...price,
    `; ${profile.generations} generations profiled.`,
  );
  if (files.length === 0) return [sentence];
  const more = files.length - mostTerminalFiles;
  const named = files.slice(0, mostTerminalFiles).join(", ");
  return [
    sentence,
    { text: `  Files: ${named}${more > 0 ? ` and ${more} more` : ""}`, only: "terminal" },
    { text: `Files: ${files.join(", ")}.`, only: "document" },
  ];
}
