// One model and a number of workers at every load: one stream and eight, two contexts, idle and beside
// a busy core. All settings are loaded at once and take turns, so that they meet the same machine.
import { createRuntime } from "@streamgauge/runtime";
import { openPeer } from "../../packages/bench/dist/scenarios/engine/peer-engine.js";
import { settingName } from "./setting-name.mjs";

const contexts = [64, 1024];
const streamCounts = [1, 8];

/** The threads of a comparison at equal settings: all cores, and none spins. */
export function equalSettings(cores) {
  return { threads: cores, spinMicroseconds: 0 };
}

/** What the runtime chooses where nobody says anything. */
async function describeDefault(model, workers) {
  const runtime = await createRuntime({ model: model.folder, dtype: model.dtype, workers });
  try {
    const { threads, spinMicroseconds, reasons, stepWeights } = runtime.describe();
    const chosen = { threads, spinMicroseconds };
    return { chosen, reason: reasons.threads, stepWeights };
  } finally {
    await runtime.close();
  }
}

/**
 * @param settings by hand; the default is one of them as a rule, and is added where it is not
 * @param blocks in each, every one of the settings runs once
 */
export async function measureGroup({ model, workers, settings, equal, blocks, busyCore, say }) {
  const { chosen, reason, stepWeights } = await describeDefault(model, workers);
  const isByHand = settings.some((one) => settingName(one) === settingName(chosen));
  const arms = [];
  try {
    for (const own of isByHand ? settings : [...settings, chosen]) {
      arms.push(await openOwn(model, workers, own));
    }
    if (workers === 1) {
      arms.push(await openOther(model, "peer-default", undefined));
      arms.push(await openOther(model, "peer-equal", { threads: equal.threads, spinning: false }));
    }
    const cells = [];
    for (const streams of streamCounts) {
      for (const { context, promptTokens, prompts } of contextsOf(model, streams)) {
        const able = arms.filter(({ mostStreams }) => streams <= mostStreams);
        // The first run brings the prompts into the caches, and does not count.
        for (const arm of able) await arm.run(prompts);
        for (const load of ["idle", "busy"]) {
          say(`${model.name}, ${workers} worker(s), ${streams} of ${promptTokens}, ${load}`);
          const measure = () => measureBlocks(able, prompts, blocks);
          const speeds = await (load === "idle" ? measure() : busyCore.during(measure));
          cells.push({ streams, context, promptTokens, load, blocks: speeds });
        }
      }
    }
    return { model: model.name, workers, default: settingName(chosen), reason, stepWeights, cells };
  } finally {
    for (const arm of arms) await arm.close();
  }
}

/** Tokens/s of each arm in each block, in orders that turn. */
async function measureBlocks(arms, prompts, blocks) {
  const speeds = [];
  for (let block = 0; block < blocks; block += 1) {
    const turned = arms.map((_, index) => arms[(index + (block >> 1)) % arms.length]);
    const own = {};
    for (const arm of block % 2 === 0 ? turned : turned.toReversed()) {
      own[arm.name] = Math.round((await arm.run(prompts)) * 100) / 100;
    }
    speeds.push(own);
  }
  return speeds;
}

/** The contexts to measure a model at, with the ids of the prompts. */
function contextsOf({ contextLength, vocabularySize, tokens }, streams) {
  return contexts.map((context) => {
    // The longest context may not leave room for the tokens.
    const promptTokens = Math.min(context, contextLength - Math.max(...tokens));
    const promptOf = (stream) =>
      Array.from({ length: promptTokens }, (_unused, at) => (stream + at * 31) % vocabularySize);
    const prompts = Array.from({ length: streams }, (_unused, stream) => promptOf(stream));
    return { context, promptTokens, prompts };
  });
}

async function openOwn(model, workers, settings) {
  const { folder, dtype, tokens } = model;
  const runtime = await createRuntime({ model: folder, dtype, workers, ...settings });
  return {
    name: settingName(settings),
    mostStreams: Infinity,
    run: (prompts) => tokensPerSecond(runtime, prompts, tokens[prompts.length === 1 ? 0 : 1]),
    close: () => runtime.close(),
  };
}

async function openOther({ folder, dtype, tokens }, name, settings) {
  const peer = await openPeer(folder, dtype, settings);
  const [, , count] = tokens;
  return {
    name,
    mostStreams: 1,
    async run([prompt]) {
      const { atNanoseconds } = await peer.continueFrom(prompt, count);
      return ((count - 1) / (atNanoseconds.at(-1) - atNanoseconds[0])) * 1e9;
    },
    close: () => peer.close(),
  };
}

/** Of all streams together, from the first token that came to the last. */
async function tokensPerSecond(runtime, prompts, maxTokens) {
  const times = await Promise.all(
    prompts.map(async (prompt) => {
      const own = [];
      await runtime.generateStream(prompt, () => own.push(performance.now()), {
        maxTokens,
        temperature: 0,
        ignoreEos: true,
      });
      return own;
    }),
  );
  const first = Math.min(...times.map((own) => own[0]));
  const last = Math.max(...times.map((own) => own.at(-1)));
  return ((times.length * (maxTokens - 1)) / (last - first)) * 1000;
}
