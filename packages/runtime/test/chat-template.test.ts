import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AutoTokenizer, env, type PreTrainedTokenizer } from "@huggingface/transformers";
import type { ChatMessage } from "@streamgauge/core";
import {
  createInlineGenerator,
  createRuntime,
  embeddedModel,
  pacedModel,
} from "@streamgauge/runtime";
import { describe, expect, it } from "vitest";
import { readChatTemplate } from "../src/text/chat-template.js";
import { loadTokenizer } from "../src/text/tokenizer.js";
import { temporaryFolder } from "./temporary-folder.js";

// In the manner of the families they are named for, as far as messages of text go.
const chatML =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
const llama3 = `{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{{- system_message + "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
`;
const qwen = `{%- if messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(last_query=-1) %}
{%- for message in messages[::-1] %}
    {%- if ns.last_query == -1 and message.role == "user" %}
        {%- set ns.last_query = (messages|length - 1) - loop.index0 %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.role == "assistant" and '</think>' in message.content and loop.index0 < ns.last_query %}
        {{- '<|im_start|>assistant\\n' + message.content.split('</think>')[-1].lstrip('\\n') + '<|im_end|>\\n' }}
    {%- elif (message.role == "user") or (message.role == "assistant") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}`;
const leadingNewline = "\n{{ bos_token }}{% for m in messages %}{{ m.content }}\n{% endfor %}";

const short: ChatMessage[] = [{ role: "user", content: "Call me Ishmael." }];
const long: ChatMessage[] = [
  { role: "system", content: " Be brief. " },
  { role: "user", content: "What is <b>that</b>, — a 🐋?\n" },
  { role: "assistant", content: "<think>\nhm\n</think>\n\nA whale." },
  { role: "user", content: "And “this” <|endoftext|>?" },
];

/** The embedded model with chat tokens in its tokenizer, and other fields in its configuration. */
async function chatModel(fields: object, jinja?: string): Promise<string> {
  const folder = join(await temporaryFolder(), "chat-model");
  await cp(embeddedModel, folder, { recursive: true });
  const edit = async (name: string, change: (value: Record<string, unknown>) => object) => {
    const file = join(folder, name);
    const value = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
    await writeFile(file, JSON.stringify(change(value)));
  };
  await edit("tokenizer_config.json", (config) => ({
    ...config,
    chat_template: undefined,
    ...fields,
  }));
  await edit("tokenizer.json", (tokenizer) => ({
    ...tokenizer,
    // Puts the token for a beginning before each text: what a template does itself.
    post_processor: {
      type: "TemplateProcessing",
      single: [
        { SpecialToken: { id: "<|endoftext|>", type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        "<|endoftext|>": { id: "<|endoftext|>", ids: [0], tokens: ["<|endoftext|>"] },
      },
    },
  }));
  if (jinja !== undefined) await writeFile(join(folder, "chat_template.jinja"), jinja);
  return folder;
}

async function theirIds(folder: string, messages: ChatMessage[], template?: string) {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  const tokenizer: PreTrainedTokenizer = await AutoTokenizer.from_pretrained(basename(folder));
  const options = { add_generation_prompt: true, return_tensor: false, return_dict: false };
  return tokenizer.apply_chat_template(messages, {
    ...options,
    ...(template === undefined ? {} : { chat_template: template }),
  }) as unknown as number[];
}

describe("a conversation as the prompt", () => {
  it.each([
    ["ChatML", { chat_template: chatML }],
    ["Llama 3", { chat_template: llama3 }],
    ["Qwen", { chat_template: qwen }],
    ["that begins with a newline", { chat_template: leadingNewline }],
    [
      "the default of a list",
      {
        chat_template: [
          { name: "tool_use", template: "tools" },
          { name: "default", template: chatML },
        ],
      },
    ],
    [
      "with its token as an object",
      { chat_template: llama3, bos_token: { __type: "AddedToken", content: "<|endoftext|>" } },
    ],
  ])("has the ids that transformers.js gives it: %s", async (_, fields) => {
    const model = await chatModel(fields);
    await using generator = await createInlineGenerator({ model });
    expect(generator.describe().chatTemplate).toBe(true);
    for (const messages of [short, long]) {
      const ids = await theirIds(model, messages);
      const theirs = await generator.generate(ids, { maxTokens: 12 });
      const ours = await generator.generate({ messages }, { maxTokens: 12 });
      expect(ours.usage.promptTokens).toBe(ids.length);
      expect(ours.ids).toEqual(theirs.ids);
      const tokenizer = await loadTokenizer(model);
      const text = (await (await readChatTemplate(model))?.render(messages)) ?? "";
      expect(tokenizer.encode(text, { addSpecialTokens: false })).toEqual(ids);
      // As text it gets the token for a beginning, which a conversation does not get twice.
      const plain = await generator.generate(text, { maxTokens: 1 });
      expect(plain.usage.promptTokens).toBe(ids.length + 1);
    }
  });

  it("is written down by chat_template.jinja where there is one, in the worker", async () => {
    const model = await chatModel({ chat_template: chatML }, llama3);
    await using runtime = await createRuntime({ model });
    const ids = await theirIds(model, long, llama3);
    const theirs = await runtime.generate(ids, { maxTokens: 12 });
    const streamed: number[] = [];
    const stream = runtime.generateStreamAsync({ messages: long }, { maxTokens: 12 });
    for await (const { id } of stream) streamed.push(id);
    expect(streamed).toEqual(theirs.ids);
    expect((await stream.result).usage.promptTokens).toBe(ids.length);
    expect(runtime.describe().chatTemplate).toBe(true);
  });
});

describe("a conversation is refused", () => {
  const raising =
    "{% for message in messages %}{% if message.role != 'user' %}" +
    "{{ raise_exception('Only users may speak!') }}{% endif %}{{ message.content }}{% endfor %}";

  it.each<[string, object, string, RegExp]>([
    ["by a model without a template", {}, "INVALID_PROMPT", /no chat template: give text/],
    ["by a null template", { chat_template: null }, "INVALID_PROMPT", /no chat template/],
    [
      "by a list without a default",
      { chat_template: [{ name: "rag", template: "x" }] },
      "INVALID_PROMPT",
      /no chat template/,
    ],
    [
      "by the template itself",
      { chat_template: raising },
      "INVALID_PROMPT",
      /refuses these messages: Only users may speak!/,
    ],
    [
      "where the template does not parse",
      { chat_template: "{% for message in %}" },
      "MODEL_UNSUPPORTED",
      /tokenizer_config\.json cannot be used/,
    ],
    [
      "where the template fails",
      { chat_template: "{{ messages | no_such_filter }}" },
      "MODEL_UNSUPPORTED",
      /tokenizer_config\.json cannot be used: .*no_such_filter/,
    ],
    [
      "where the template never returns from itself",
      { chat_template: "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}" },
      "MODEL_UNSUPPORTED",
      /cannot be used/,
    ],
    [
      "where it writes nothing",
      { chat_template: "{# nothing #}" },
      "INVALID_PROMPT",
      /no tokens after tokenising/,
    ],
  ])("%s, and the worker goes on", async (_, fields, code, message) => {
    await using runtime = await createRuntime({ model: await chatModel(fields) });
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(runtime.generate({ messages: long })).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message) as string,
      });
    }
    expect((await runtime.generate("Call me", { maxTokens: 3 })).ids).toHaveLength(3);
    expect(runtime.metrics().workers).toMatchObject({ lost: 0 });
  });

  it("by a paced model, and by one without a tokenizer", async () => {
    await using paced = await createInlineGenerator({ model: pacedModel({ stepMicroseconds: 0 }) });
    const model = await chatModel({ chat_template: chatML });
    await rm(join(model, "tokenizer.json"));
    await using mute = await createInlineGenerator({ model });
    for (const generator of [paced, mute]) {
      expect(generator.describe().chatTemplate).toBe(false);
      await expect(generator.generate({ messages: short })).rejects.toMatchObject({
        code: "INVALID_PROMPT",
        message: expect.stringMatching(/no chat template/) as string,
      });
    }
  });

  it("together with its model, when the template is damaged", async () => {
    const model = await chatModel({ chat_template: 7 });
    await expect(createInlineGenerator({ model })).rejects.toMatchObject({
      code: "MODEL_CORRUPT",
      message: expect.stringMatching(/chat_template is neither/) as string,
    });
  });
});
