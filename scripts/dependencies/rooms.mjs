/**
 * The rooms of each package, in the order in which files may import: a file imports from its own
 * room and from those before it. Rooms in one list do not know each other. Files beside the rooms
 * (`index.ts`, `cli.ts`) come last; `error-codes.ts` comes first.
 */
export const rooms = {
  bench: [
    "record",
    "statistics",
    "plan",
    "measure",
    "conclude",
    "profile",
    "adapters",
    "scenarios",
    "run",
    "tables",
    "terminal",
    ["history", "gate", "endurance", "load"],
    "commands",
  ],
  fleet: [
    "redis",
    "messages",
    "parts",
    "machines",
    ["agent", "coordinator", "operations"],
    "commands",
  ],
  report: [
    "text",
    "files",
    "charts",
    "sections",
    ["html", "markers", "formats", "imports"],
    "commands",
  ],
};

/** Rooms that import nothing but their own files. */
export const independent = ["packages/bench/src/record"];
