// Servers that answer both kinds of requests, streamed and not, as a bench makes them.
import { delta, done, json, role, usage, type Script } from "./scripted-openai.js";
import { dialects } from "./openai-dialects.js";

/** Answers a streamed request as the dialect of that name does, and any other with as many tokens. */
export function speaking(name: string, completionTokens: number): Script {
  const dialect = dialects.find((candidate) => candidate.name === name);
  if (dialect === undefined) throw new RangeError(`There is no dialect "${name}".`);
  return (response, seen) => {
    if (seen.body["stream"] !== true) {
      const content = dialect.texts.join("");
      return json({
        object: "chat.completion",
        choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
        usage: { prompt_tokens: 4, completion_tokens: completionTokens },
      })(response, seen);
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.end(dialect.body);
  };
}

/** Makes as many tokens as the prompt says, two in each chunk, and ends by itself. */
export const counting: Script = (response, seen) => {
  const wanted = Math.min(Number(promptOf(seen.body)), Number(seen.body["max_tokens"]));
  const words = Array.from({ length: wanted }, (_, index) => ` w${index}`);
  if (seen.body["stream"] !== true) {
    return json({
      choices: [{ index: 0, message: { content: words.join("") }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: wanted },
    })(response, seen);
  }
  const chunks: string[] = [];
  for (let index = 0; index < wanted; index += 2) {
    chunks.push(delta({ content: words.slice(index, index + 2).join("") }));
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.end([role, ...chunks, delta({}, "stop"), usage(1, wanted), done].join(""));
};

/** The text that a request is to continue. */
export function promptOf(body: Readonly<Record<string, unknown>>): string {
  const { prompt, messages } = body as {
    readonly prompt?: string;
    readonly messages?: readonly { readonly content: string }[];
  };
  return prompt ?? messages?.at(-1)?.content ?? "";
}
