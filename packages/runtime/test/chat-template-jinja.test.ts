import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ChatMessage } from "@streamgauge/core";
import { describe, expect, it } from "vitest";
import { readChatTemplate } from "../src/text/chat-template.js";
import { temporaryFolder } from "./temporary-folder.js";

// What Jinja2 3.1 writes, set up as transformers does (trim_blocks, lstrip_blocks, sandbox).

async function render(template: string, messages: readonly ChatMessage[]): Promise<string> {
  const folder = await temporaryFolder();
  const tokens = { bos_token: "<s>", eos_token: "</s>" };
  await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify(tokens));
  await writeFile(join(folder, "chat_template.jinja"), template);
  return (await (await readChatTemplate(folder))?.render(messages)) ?? "";
}

/** "sua" is a system message, the user's, and the assistant's. */
function conversation(roles: string): ChatMessage[] {
  const names: Record<string, string> = { s: "system", u: "user", a: "assistant" };
  return roles.split("").map((role, i) => ({ role: names[role] ?? role, content: `${role}${i}` }));
}

// The constructs by which families check roles.
const system = `{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set turns = messages[1:] %}
{%- else %}
    {%- set turns = messages %}
{%- endif %}
`;
const check = `        {{- raise_exception("Roles must alternate.") }}
    {%- endif %}
`;
const write = `{{- bos_token }}
{%- for message in turns %}
    {%- if message["role"] == "user" %}
        {{- "[INST]" + message["content"] + "[/INST]" }}
    {%- else %}
        {{- message["content"] + eos_token }}
    {%- endif %}
{%- endfor %}
`;
const families = {
  "Mistral-Nemo, at first": `${system}
{%- for message in turns | rejectattr("role", "equalto", "tool") | selectattr("tool_calls", "undefined") %}
    {%- if (message["role"] == "user") != (loop.index0 % 2 == 0) %}
${check}{%- endfor %}
${write}`,
  "Mistral-Nemo, now": `${system}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in turns %}
    {%- if not (message.role == "tool" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
    ${check}        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
${write}`,
  "Gemma, Llama 2": `${system}
{%- for message in turns %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
${check}{%- endfor %}
${write}`,
};

describe.each(Object.entries(families))("the check of roles of %s", (_, template) => {
  describe.each([
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ])("with %s", (_name, newline) => {
    const source = template.replaceAll("\n", newline);

    it.each([
      ["u", "<s>[INST]u0[/INST]"],
      ["su", "<s>[INST]u1[/INST]"],
      ["uau", "<s>[INST]u0[/INST]a1</s>[INST]u2[/INST]"],
    ])("lets %s pass", async (roles, text) => {
      expect(await render(source, conversation(roles))).toBe(text);
    });

    it.each(["uu", "au", "suu", "sa", "uaa", "uas"])("refuses %s", async (roles) => {
      await expect(render(source, conversation(roles))).rejects.toMatchObject({
        code: "INVALID_PROMPT",
        message: expect.stringMatching(/Roles must alternate/) as string,
      });
    });
  });
});

it.each([
  ["\n", "after a block", "{% if true %}\nx\n{% endif %}\ny\n", "x\ny"],
  ["\r\n", "in texts of the template", "{{ 'a\nb' }}\nc\n\n", "a\nb\nc\n"],
  ["\r", "alone", "a\nb\n", "a\nb"],
])("newlines %j %s are read as Jinja reads them", async (newline, _, template, text) => {
  expect(await render(template.replaceAll("\n", newline), conversation("u"))).toBe(text);
});

it("newlines of contents stay", async () => {
  const content = "\r\na\rb\r\n";
  const template = "{%- for m in messages %}\r\n{{ m.content }}\r\n{%- endfor %}";
  expect(await render(template, [{ role: "user", content }])).toBe(content);
});

describe("is computed as in Python", () => {
  it.each([
    [
      "nothing and truth",
      "{{ none }} {{ true }} {{ 1 == 1 }} [{{ missing }}]",
      "None True True []",
    ],
    [
      "joined",
      "{{ true ~ 1 ~ none ~ 1.5 }} {{ [1, none, true] | join('-') }}",
      "True1None1.5 1-None-True",
    ],
    [
      "different types",
      "{{ '' == 0 }}{{ '1' == 1 }}{{ none == missing }}{{ '' != false }}",
      "FalseFalseFalseTrue",
    ],
    [
      "same values",
      "{{ 1 == 1.0 }}{{ false == 0 }}{{ [1, 'a'] == [1, 'a'] }}{{ {'a': 1} != {'a': 1} }}",
      "TrueTrueTrueFalse",
    ],
    ["remainders", "{{ (0 - 1) % 2 }} {{ 7 % 3 }} {{ 7 % -3 }}", "1 1 -2"],
    [
      "strip",
      "{{ '\n a🐋\n'.lstrip('\n') }}|{{ 'xya🐋x'.strip('x🐋') }}|{{ ' a\n '.rstrip('\n ') }}|{{ ' a '.strip() }}",
      " a🐋\n|ya| a|a",
    ],
    [
      "scopes of turns",
      "{% for i in range(3) %}{% if i == 0 %}{% set x = 'x' %}{% endif %}[{{ x }}]{% endfor %}",
      "[x][][]",
    ],
    [
      "namespaces",
      "{% set ns = namespace(n=0) %}{% for i in range(3) %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}",
      "3",
    ],
    [
      "break",
      "{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}{% if i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
      "02",
    ],
    [
      "attributes that are missing",
      "{% set m = [{'a': 1}, {'b': 2}] %}{{ m | selectattr('a') | list | length }}{{ m | rejectattr('a', 'defined') | list | length }}{{ m | rejectattr('a', 'undefined') | list | length }}{{ m | selectattr('a', 'none') | list | length }}",
      "1110",
    ],
    [
      "macros and calls",
      "{% macro m(x, y='?') %}<{{ x }}{{ y }}{{ kwargs.z }}>{% endmacro %}{{ m(1, z='!') }}{% macro w() %}({{ caller() }}){% endmacro %}{% call w() %}in{% endcall %}",
      "<1?!>(in)",
    ],
    [
      "blocks",
      "{% set x %}a{{ 1 }}{% endset %}{{ x | upper }}{% filter replace('b', 'c') %}bb{% endfilter %}",
      "A1cc",
    ],
    ["ranges", "{{ range(5, 0, -2) | join(',') }} {{ range(100000) | length }}", "5,3,1 100000"],
  ])("%s", async (_, template, text) => {
    expect(await render(template, conversation("u"))).toBe(text);
  });

  it("a text and a number are not joined", async () => {
    await expect(render("{{ 'a' + 1 }}", conversation("u"))).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
    });
  });
});

const megabyte =
  "{% set ns = namespace(a='ab') %}{% for i in range(19) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}";
const shared = (pair: string): string =>
  `{% set ns = namespace(a=[1]) %}{% for i in range(60) %}{% set ns.a = ${pair} %}{% endfor %}`;

describe("a template that would take all time or memory is refused", () => {
  it.each([
    ["a long range", "{% for i in range(1000000000) %}{% endfor %}", /range/],
    [
      "loops in loops",
      "{% set r = range(100000) %}{% for i in r %}{% for j in r %}{% endfor %}{% endfor %}",
      /loops/,
    ],
    [
      "output without end",
      "{% for i in range(100000) %}{% for j in range(100000) %}xxxxxxxxxxxxxxxx{% endfor %}{% endfor %}",
      /loops|writes/,
    ],
    [
      "doubling",
      "{% set ns = namespace(a='ab') %}{% for i in range(99) %}{% set ns.a = ns.a + ns.a %}{% endfor %}",
      /writes/,
    ],
    ["doubled arrays", shared("ns.a + ns.a"), /writes/],
    ["arrays that share", `${shared("[ns.a, ns.a]")}{{ ns.a | tojson }}`, /loops/],
    ["objects that share", `${shared("{'a': ns.a, 'b': ns.a}")}{{ ns.a }}`, /loops/],
    [
      "a namespace in itself",
      "{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}",
      /call stack/,
    ],
    [
      "texts kept by a recursion",
      `${megabyte}{% macro m(x) %}{{ m((x ~ 'a') | upper) }}{% endmacro %}{{ m(ns.a) }}`,
      /writes/,
    ],
    ["a long separator", `${megabyte}{{ range(100000) | join(ns.a) }}`, /writes/],
    ["a long replacement", `${megabyte}{{ ns.a | replace('a', ns.a) }}`, /writes/],
    [
      "a long replacement by a method",
      `${megabyte}{% set f = ns.a['replace'] %}{{ f('', ns.a) }}`,
      /writes/,
    ],
    ["a deep indent", "{{ 'a\nb' | indent(400000000) }}", /writes/],
    ["a deep indent of JSON", "{{ [[1]] | tojson(indent=400000000) }}", /writes/],
    [
      "many pieces",
      `${megabyte}{% for i in range(99) %}{% set x = ns.a.split('a') %}{% endfor %}`,
      /writes/,
    ],
    ["a pattern of the library that backtracks", `${" ".repeat(200_000)}x`, /takes longer/],
  ])("%s", { timeout: 60_000 }, async (_, template, message) => {
    await expect(render(template, conversation("u"))).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringMatching(
        new RegExp(`chat_template\\.jinja cannot be used: .*${message.source}`),
      ) as string,
    });
  });
});

it("a long conversation renders", async () => {
  const messages = Array.from({ length: 3_000 }, (_, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content: "word ".repeat(200),
  }));
  const text = await render(families["Mistral-Nemo, at first"], messages);
  expect(text.length).toBeGreaterThan(3_000_000);
});
