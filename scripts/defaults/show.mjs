// Tables of a record, and what the rule's numbers would be by it.
import { median, solve } from "./numbers.mjs";
import { settingName } from "./setting-name.mjs";

const wanted = 0.97;

/** @returns text for a terminal */
export function describeRecord(record) {
  const cells = cellsOf(record);
  const enough = cells.filter(({ ratio }) => ratio >= wanted).length;
  const rounds = new Set(record.openings.map(({ round }) => round)).size;
  return [
    `Tokens/s of the default, of the best by hand, and their ratio (least to most of ${rounds} round(s));`,
    `"=" where both are the same settings, which run once in each round. 2/50: two threads that spin for 50 µs.`,
    "",
    ...table([
      ["model", "workers", "context", "streams", "core", "default", "best by hand", "ratio", ""],
      ...cells.map((cell) => [
        cell.model,
        cell.workers,
        cell.promptTokens,
        cell.streams,
        cell.load,
        `${cell.own.toFixed(1)} (${cell.settings})`,
        `${cell.best.toFixed(1)} (${cell.bestSettings})`,
        `${cell.ratio.toFixed(3)} (${cell.least.toFixed(2)} to ${cell.most.toFixed(2)})`,
        cell.settings === cell.bestSettings ? "=" : cell.ratio < wanted ? "below" : "",
      ]),
    ]),
    "",
    `${enough} of ${cells.length} cells have a ratio of at least ${wanted}.`,
    "",
    ...describePeers(record),
    "",
    ...describeLoads(record),
    "",
    ...describeFit(record),
  ].join("\n");
}

/** The default in each cell, against the settings by hand with the largest median. */
function cellsOf({ openings, defaults }) {
  const groups = groupBy(openings);
  return [...groups.values()].flatMap((own) => {
    const [{ model, workers, cells }] = own;
    const chosen = defaults.filter((one) => one.model === model && one.workers === workers);
    return cells.flatMap(({ context, streams, promptTokens }) =>
      ["idle", "busy"].map((load) => {
        const speeds = speedsOf(own, { context, streams, load });
        // What the default was in a round, as it ran there.
        const defaultSpeeds = [];
        for (const one of chosen)
          defaultSpeeds[one.round] = speeds.get(settingName(one))[one.round];
        const best = [...speeds]
          .map(([name, values]) => ({ name, values, middle: median(values) }))
          .reduce((one, other) => (other.middle > one.middle ? other : one));
        const ratios = defaultSpeeds.map((value, round) => value / best.values[round]);
        const known = ratios.filter((ratio) => Number.isFinite(ratio));
        return {
          model,
          workers,
          promptTokens,
          streams,
          load,
          own: median(defaultSpeeds),
          settings: [...new Set(chosen.map(settingName))].join(", "),
          best: best.middle,
          bestSettings: best.name,
          ratio: median(defaultSpeeds) / best.middle,
          least: Math.min(...known),
          most: Math.max(...known),
        };
      }),
    );
  });
}

/** By name of the settings: tokens/s by round. */
function speedsOf(openings, { context, streams, load }) {
  const speeds = new Map();
  for (const { chosen, round, cells } of openings) {
    const cell = cells.find((one) => one.context === context && one.streams === streams);
    const own = speeds.get(chosen) ?? [];
    own[round] = cell[load];
    speeds.set(chosen, own);
  }
  return speeds;
}

/** One stream beside transformers.js: both with their defaults, and both with the same settings. */
function describePeers({ openings, defaults, peers, equal }) {
  const models = [...new Set(peers.map(({ model }) => model))];
  const rows = models.flatMap((model) => {
    const isOwn = (one) => one.model === model && (one.workers ?? 1) === 1;
    const chosen = defaults.filter(isOwn);
    const [first] = peers.filter(isOwn);
    return first.cells.flatMap(({ context, promptTokens }) =>
      ["idle", "busy"].map((load) => {
        const at = { context, streams: 1, load };
        const ours = speedsOf(openings.filter(isOwn), at);
        const theirs = speedsOf(peers.filter(isOwn), at);
        const ownDefaults = chosen.map((one) => ours.get(settingName(one))[one.round]);
        const own = { default: ownDefaults, equal: ours.get(settingName(equal)) };
        const ratioOf = (which) => median(own[which]) / median(theirs.get(which));
        const [byDefault, atEqual] = [ratioOf("default"), ratioOf("equal")];
        const speedOf = (which) => median(theirs.get(which)).toFixed(1);
        return [
          model,
          promptTokens,
          load,
          `${median(ownDefaults).toFixed(1)} : ${speedOf("default")} = ${byDefault.toFixed(2)}`,
          `${median(own.equal).toFixed(1)} : ${speedOf("equal")} = ${atEqual.toFixed(2)}`,
          byDefault < atEqual ? "below" : "",
        ];
      }),
    );
  });
  return [
    `Tokens/s of one stream, ours : transformers.js, with both defaults, and both with ${settingName(equal)}:`,
    "",
    ...table([["model", "context", "core", "defaults", "equal settings", ""], ...rows]),
  ];
}

function groupBy(openings) {
  const groups = new Map();
  for (const opening of openings) {
    const name = `${opening.model} ${opening.workers}`;
    groups.set(name, [...(groups.get(name) ?? []), opening]);
  }
  return groups;
}

function describeLoads({ loads }) {
  const models = [...new Set(loads.map(({ model }) => model))];
  const rows = models.map((model) => {
    const own = loads.filter((load) => load.model === model);
    const middle = (arm) => median(own.map((load) => load[arm].milliseconds));
    const ratio = (arm) => (middle(arm) / middle("rule")).toFixed(3);
    return [
      model,
      middle("rule").toFixed(0),
      `${middle("first").toFixed(0)} (${ratio("first")})`,
      `${middle("second").toFixed(0)} (${ratio("second")})`,
      `${own.filter(({ first }) => first.reason.startsWith("measured")).length} of ${own.length}`,
      own[0].first.reason,
    ];
  });
  return [
    "Loading in ms, and its ratio to loading without a measurement:",
    "",
    ...table([
      ["model", "by rule", "first", "second", "measured", "what the first one chose"],
      ...rows,
    ]),
  ];
}

/**
 * A step takes t₁ with one thread; with t threads u · t₁ + matrices · (t − 1) · h, by how they wait.
 * Least squares of the relative errors, over the models with one stream at the shorter context.
 */
function describeFit({ openings, settings }) {
  const two = settings.find(({ threads }) => threads > 1);
  if (two === undefined) return ["One core: there is nothing to fit."];
  const points = [...new Set(openings.map(({ model }) => model))].map((model) => {
    const microseconds = (name) => {
      const speeds = openings
        .filter((own) => own.model === model && own.workers === 1 && own.chosen === name)
        .map(({ cells }) => cells.find(({ streams }) => streams === 1).idle);
      return 1e6 / median(speeds);
    };
    const { stepWeights } = openings.find((own) => own.model === model);
    const times = ["1/0", `${two.threads}/0`, `${two.threads}/50`].map(microseconds);
    return { model, stepWeights, times };
  });
  const others = two.threads - 1;
  const equations = points.flatMap(({ stepWeights: { matrices }, times: [one, asleep, spun] }) => [
    { row: [one / asleep, (matrices * others) / asleep, 0], value: 1 },
    { row: [one / spun, 0, (matrices * others) / spun], value: 1 },
  ]);
  const [share, sleeping, spinning] = solve(equations);
  const rateOf = (isOwn) => {
    const rates = points
      .filter(({ stepWeights }) => isOwn(stepWeights.bits))
      .map(({ stepWeights, times: [one] }) => stepWeights.bytes / one);
    return rates.length === 0 ? "–" : median(rates).toFixed(0);
  };
  return [
    `For fittedCosts of packages/runtime/src/threads/thread-rule.ts, by 1 and ${two.threads} threads:`,
    "",
    `  bytesPerMicrosecond: { floats: ${rateOf((bits) => bits > 8)}, quantised: ${rateOf((bits) => bits <= 8)} }`,
    `  furtherThread: ${((1 / share - 1) / others).toFixed(2)}`,
    `  handOffMicroseconds: { sleeping: ${sleeping.toFixed(1)}, spinning: ${spinning.toFixed(1)} }`,
  ];
}

function table(rows) {
  const texts = rows.map((row) => row.map(String));
  const widths = texts[0].map((_, column) => Math.max(...texts.map((row) => row[column].length)));
  return texts.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column])).join("  ")}`.trimEnd(),
  );
}
