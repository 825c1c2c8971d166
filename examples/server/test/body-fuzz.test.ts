import { embeddedModel } from "@streamgauge/runtime";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve, untilHolds, type Served } from "./serve.js";

/** `STREAMGAUGE_FUZZ_CASES=5000` tries as many; 200 are tried otherwise. */
const cases = Number(process.env["STREAMGAUGE_FUZZ_CASES"] ?? 200);
/** Long beyond what any case takes: a net for what hangs, no measure. */
const hangMilliseconds = 60_000;

let served: Served;
beforeAll(async () => {
  served = await serve({ model: embeddedModel, workers: 2 });
});
afterAll(() => served[Symbol.asyncDispose]());

const words = fc.constantFrom(
  ..."go 🐋 <|endoftext|> constructor __proto__ user assistant text 0 -1 NaN null ../.. %s%n".split(
    " ",
  ),
  "",
  "\u0000",
  "\ud800",
  "\u2028",
  " the",
);
const numbers = fc.constantFrom(
  0,
  1,
  -1,
  2,
  0.5,
  1.5,
  -100,
  100,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  1e308,
  5e-324,
);
const simple = fc.oneof(words, numbers, fc.boolean(), fc.constant(null));
const names = fc.constantFrom(
  ..."role content type text name tool_calls include_usage continuous_usage_stats".split(" "),
  ..."260 5 -1 2048 99999999999".split(" "),
  ..."__proto__ constructor prototype toString hasOwnProperty then toJSON".split(" "),
);
const { anything } = fc.letrec((tie) => ({
  anything: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    simple,
    fc.array(tie("anything"), { maxLength: 4 }),
    fc.array(fc.tuple(names, tie("anything")), { maxLength: 4 }).map(toObject),
  ),
}));

/** As `JSON.parse` would make it: `__proto__` is a field like any other. */
function toObject(fields: [string, unknown][]): object {
  return Object.fromEntries(fields);
}

const message = fc.oneof(
  fc.record(
    {
      role: fc.oneof(fc.constantFrom("user", "system", "assistant", "developer"), simple),
      content: fc.oneof(words, anything),
      name: fc.constant(null),
      tool_calls: fc.constantFrom(null, []),
      x: anything,
    },
    { requiredKeys: ["role", "content"] },
  ),
  anything,
);

/** Values that are right, or nearly, for the fields that there are; and any for others. */
const fields = fc.record(
  {
    prompt: fc.oneof(words, fc.array(fc.oneof(numbers, words), { maxLength: 4 }), anything),
    messages: fc.oneof(fc.array(message, { maxLength: 4 }), anything),
    max_tokens: fc.oneof(fc.constantFrom(1, 2, 3), simple),
    max_completion_tokens: fc.oneof(fc.constantFrom(1, 2), simple),
    stream: fc.oneof(fc.boolean(), simple),
    stream_options: fc.oneof(
      fc.record({ include_usage: fc.boolean(), continuous_usage_stats: fc.boolean() }),
      anything,
    ),
    temperature: simple,
    top_p: simple,
    top_k: simple,
    min_p: simple,
    typical_p: simple,
    repetition_penalty: simple,
    presence_penalty: simple,
    frequency_penalty: simple,
    no_repeat_ngram_size: simple,
    min_tokens: simple,
    ignore_eos: simple,
    seed: simple,
    stop: fc.oneof(words, anything),
    stop_token_ids: fc.array(numbers, { maxLength: 3 }),
    logit_bias: fc.array(fc.tuple(names, simple), { maxLength: 3 }).map(toObject),
    user: simple,
    n: simple,
    logprobs: simple,
    tools: anything,
    response_format: anything,
    model: fc.oneof(simple, anything),
  },
  { requiredKeys: [] },
);

/** Few fields at a time, or every body would be refused for one of them. */
const fewFields = fc
  .tuple(fields, fc.uniqueArray(fc.nat(26), { maxLength: 3 }))
  .map(([all, chosen]) => toObject(Object.entries(all).filter((_, i) => chosen.includes(i))));

const isChat = fc.boolean();
const whole = fc.tuple(isChat, fewFields, fc.array(fc.tuple(names, anything), { maxLength: 1 }));
/** What happens to the text of a body: nothing, a cut, a letter in a wrong place. */
const damage = fc.oneof(
  { weight: 6, arbitrary: fc.constant((text: string) => text) },
  fc.nat(200).map((at) => (text: string) => text.slice(0, at)),
  fc.tuple(fc.nat(200), fc.constantFrom("\u0000", '"', "{", "]", ",", "\\", "1e999", "\ufeff")).map(
    ([at, letter]) =>
      (text: string) =>
        text.slice(0, at) + letter + text.slice(at),
  ),
);

async function send(path: string, body: string): Promise<{ status: number; answer: string }> {
  const response = await fetch(served.server.url + path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    signal: AbortSignal.timeout(hangMilliseconds),
  });
  return { status: response.status, answer: await response.text() };
}

const errorShape = {
  error: {
    message: expect.stringMatching(/./) as string,
    type: expect.stringMatching(/^(invalid_request_error|rate_limit_error)$/) as string,
    param: expect.toSatisfy((param) => param === null || typeof param === "string") as unknown,
    code: expect.toSatisfy((code) => code === null || typeof code === "string") as unknown,
  },
};

describe("bodies that were drawn", () => {
  it(
    `are answered or refused, all ${cases}`,
    async () => {
      const seen = { served: 0, refused: 0 };
      await fc.assert(
        fc.asyncProperty(whole, damage, async ([chat, drawn, others], damaged) => {
          const base = chat ? { messages: [{ role: "user", content: "go" }] } : { prompt: "go" };
          const body = {
            model: served.model,
            ...base,
            max_tokens: 2,
            ...drawn,
            ...toObject(others),
          };
          const path = chat ? "/v1/chat/completions" : "/v1/completions";
          const { status, answer } = await send(path, damaged(JSON.stringify(body)));
          seen[status === 200 ? "served" : "refused"] += 1;
          if (status !== 200) {
            expect([400, 404, 413]).toContain(status);
            expect(JSON.parse(answer)).toEqual(errorShape);
          } else if (answer.startsWith("data: ")) {
            expect(answer).toMatch(/data: \[DONE\]\n\n$/);
          } else {
            expect(JSON.parse(answer)).toMatchObject({ choices: [{ index: 0 }] });
          }
        }),
        { seed: 19, numRuns: cases, endOnFailure: true },
      );
      console.log(`${seen.served} bodies served, ${seen.refused} refused`);
      // Both happen, or the drawing is no good.
      expect(seen.served).toBeGreaterThan(cases / 20);
      expect(seen.refused).toBeGreaterThan(cases / 20);
      const { runtime, failures } = served;
      await untilHolds(() => runtime.metrics().active + runtime.metrics().queued === 0);
      expect(failures).toEqual([]);
      expect(runtime.metrics()).toMatchObject({ workers: { lost: 0 } });
      expect(Object.keys(runtime.metrics().generations.failed)).not.toContain("ENGINE_FAILED");
      const enumerable: string[] = [];
      // oxlint-disable-next-line guard-for-in -- what was put on the prototype is what is looked for
      for (const name in {}) enumerable.push(name);
      expect(enumerable).toEqual([]);
    },
    120_000 + cases * 1_000,
  );
});
