import { timePerToken } from "../../conclude/engine-analysis.js";
import type { MeasurementPlan } from "../../plan/stage.js";
import type { RaceSize } from "./decode-speed.js";
import { engineMeasurement, type Contender, type ContenderRun } from "./engine-measurement.js";
import { drawPrompt, graphFile, type FindEngineModel } from "./engine-model.js";
import { openOwn } from "./own-engine.js";
import { Turns, takeTurns, type TurnTaker } from "./turns.js";
import { needsRuntime } from "../../plan/needs-runtime.js";

export interface AgainstBareLoopOptions extends RaceSize {
  readonly promptTokens: number;
  readonly tokens: number;
  readonly threads: number;
  readonly findModel: FindEngineModel;
}

const dtype = "fp32";
const bareName = "session.run loop";
const bareAgain = `${bareName} again`;

type Member = Contender & TurnTaker<ContenderRun>;

/** `generate()` against the least that a host has to do over the same graph. */
export function againstBareLoop(options: AgainstBareLoopOptions): MeasurementPlan {
  const { promptTokens, tokens, threads, findModel, ...size } = options;
  return engineMeasurement<Member>({
    ...size,
    id: "bare-loop",
    title: `generate() against a bare session.run loop, ${dtype}`,
    unit: timePerToken,
    baselines: [bareName],
    claims: [
      {
        contender: "generate()",
        against: bareName,
        control: bareAgain,
        promise: "within 3 % of its time",
        limit: 1.03,
      },
    ],
    async open(context, keep) {
      const { folder, vocabularySize } = await findModel(context);
      const prompt = drawPrompt(context.seed, promptTokens, vocabularySize);
      const { cacheCapacity } = await needsRuntime(() => import("@streamgauge/runtime/onnx"));
      const { createBareLoop, openWithSession, runInTurns } = await needsRuntime(
        () => import("./bare-loop.js"),
      );
      context.report?.("loading");
      const ownTurns = new Turns();
      const { engine: own, session } = await openWithSession(
        async () => keep(await openOwn(folder, { dtype, threads, prefixReuse: false })),
        (real) => runInTurns(real, ownTurns),
      );
      const { spinning } = own.describe();
      const capacity = cacheCapacity(promptTokens + tokens);
      const member = (
        name: string,
        turns: Turns,
        generate: () => Promise<readonly number[]>,
      ): Member => ({
        name,
        turns,
        async run() {
          const ids = await generate();
          return { value: turns.milliseconds / tokens, ids };
        },
      });
      const bareMember = (name: string): Member => {
        const turns = new Turns();
        const inTurns = runInTurns(session, turns);
        const bare = createBareLoop({ session: inTurns, vocabularySize, capacity });
        return member(name, turns, () => bare.generate(prompt, tokens));
      };
      const config = { maxTokens: tokens, temperature: 0, ignoreEos: true };
      return {
        contenders: [
          member("generate()", ownTurns, async () => (await own.generate(prompt, config)).ids),
          bareMember(bareName),
          bareMember(bareAgain),
        ],
        runBlock: (order) => takeTurns(order, context.seed),
        terms: [
          `The same session of the patched graph of ${graphFile(dtype)}, ${capacity} rows of cache, a prompt of ${promptTokens} ids and ${tokens} tokens, greedy; the whole call / tokens, the prompt included; the ids are equal.`,
          `All inline with ${threads} thread(s) that ${spinning ? "spin" : "do not spin"}. They take turns, a run of the session and all that goes with it each, in balanced orders; what is collected as garbage in a turn counts for that turn.`,
        ],
      };
    },
  });
}
