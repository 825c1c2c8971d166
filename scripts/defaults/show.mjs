// Tables of a record, and what the rule's numbers would be by it.
import { median, solve } from "./numbers.mjs";
import { settingName } from "./setting-name.mjs";

const wanted = 0.97;

/** @returns text for a terminal */
export function describeRecord(record) {
  const cells = cellsOf(record);
  const enough = cells.filter(({ ratio }) => ratio >= wanted).length;
  return [
    "Tokens/s of the default, of the best by hand, and their ratio (medians of the blocks).",
    "The best is found in every second block and compared in the others, then the other way round: both",
    "are named where they differ. 2/5: two threads that spin for 5 µs.",
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
        cell.ratio.toFixed(3),
        cell.ratio < wanted ? "below" : "",
      ]),
    ]),
    "",
    `${enough} of ${cells.length} cells have a ratio of at least ${wanted}; the middle one has ${median(cells.map(({ ratio }) => ratio)).toFixed(3)}.`,
    "",
    "The same, if one of the settings by hand were the default everywhere:",
    "",
    ...describeFixed(record),
    "",
    ...describePeers(record),
    "",
    ...describeLoads(record),
    "",
    ...describeFit(record),
  ].join("\n");
}

/** Each cell once, with the settings that `defaultOf` names for its group. */
function cellsOf({ groups }, defaultOf = (group) => group.default) {
  return groups.flatMap((group) =>
    group.cells.map((cell) => {
      const settings = defaultOf(group);
      const halves = [0, 1].map((half) => compareHalf(cell.blocks, half, settings));
      return {
        model: group.model,
        workers: group.workers,
        promptTokens: cell.promptTokens,
        streams: cell.streams,
        load: cell.load,
        own: speedOf(cell.blocks, settings),
        settings,
        best: Math.sqrt(halves[0].best * halves[1].best),
        bestSettings: [...new Set(halves.map(({ bestSettings }) => bestSettings))].join(", "),
        ratio: Math.sqrt(halves[0].ratio * halves[1].ratio),
      };
    }),
  );
}

/** Finds the best in one half of the blocks, and compares in the other: what was lucky once is not again. */
function compareHalf(blocks, half, settings) {
  const searched = blocks.filter((_, index) => index % 2 === half);
  const compared = blocks.filter((_, index) => index % 2 !== half);
  const bestSettings = Object.keys(blocks[0])
    .filter((name) => !name.startsWith("peer"))
    .reduce((one, other) => (speedOf(searched, other) > speedOf(searched, one) ? other : one));
  const best = speedOf(compared, bestSettings);
  const ratio = median(compared.map((block) => block[settings] / block[bestSettings]));
  return { bestSettings, best, ratio };
}

function speedOf(blocks, name) {
  return median(blocks.map((block) => block[name]));
}

function describeFixed(record) {
  const rows = record.settings.map((settings) => {
    const name = settingName(settings);
    const ratios = cellsOf(record, () => name).map(({ ratio }) => ratio);
    const enough = ratios.filter((ratio) => ratio >= wanted).length;
    return [name, enough, median(ratios).toFixed(3), Math.min(...ratios).toFixed(3)];
  });
  return table([["settings", `at least ${wanted}`, "middle", "least"], ...rows]);
}

/** One stream beside transformers.js: both with their defaults, and both with the same settings. */
function describePeers({ groups, equal }) {
  const alone = groups.filter(({ workers }) => workers === 1);
  const rows = alone.flatMap((group) =>
    group.cells
      .filter(({ streams }) => streams === 1)
      .map(({ promptTokens, load, blocks }) => {
        const compare = (own, other) => median(blocks.map((block) => block[own] / block[other]));
        const byDefault = compare(group.default, "peer-default");
        const atEqual = compare(settingName(equal), "peer-equal");
        const text = (own, other, ratio) =>
          `${speedOf(blocks, own).toFixed(1)} : ${speedOf(blocks, other).toFixed(1)} = ${ratio.toFixed(2)}`;
        return [
          group.model,
          promptTokens,
          load,
          text(group.default, "peer-default", byDefault),
          text(settingName(equal), "peer-equal", atEqual),
          byDefault < atEqual ? "below" : "",
        ];
      }),
  );
  return [
    `Tokens/s of one stream, ours : transformers.js, with both defaults, and both with ${settingName(equal)}:`,
    "",
    ...table([["model", "context", "core", "defaults", "equal settings", ""], ...rows]),
  ];
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
function describeFit({ groups, settings }) {
  const two = settings.find(({ threads }) => threads > 1);
  if (two === undefined) return ["One core: there is nothing to fit."];
  const points = groups
    .filter(({ workers }) => workers === 1)
    .map(({ stepWeights, cells }) => {
      const { blocks } = cells.find(({ streams, load }) => streams === 1 && load === "idle");
      const names = ["1/0", `${two.threads}/0`, `${two.threads}/5`];
      return { stepWeights, times: names.map((name) => 1e6 / speedOf(blocks, name)) };
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
