import { join } from "node:path";
import { StreamgaugeError, messageOf, type ChatMessage } from "@streamgauge/core";
import {
  isJsonObject,
  readJsonObject,
  readTextIfPresent,
  type JsonObject,
} from "../json-object.js";
import { ContentMarks } from "./content-marks.js";
import { TemplateBudget } from "./template-budget.js";
import { withinTime } from "./time-limit.js";
import type { Tokenizer } from "./tokenizer.js";

/** How a model's makers write a conversation down. Any thread. */
export interface ChatTemplate {
  /**
   * The conversation as text, up to where the answer begins. Special tokens are
   * spelt out in it, the one at the beginning included.
   *
   * @param marks where given, the text has these marks, which say what came from the messages
   * @throws StreamgaugeError `INVALID_PROMPT` when the template refuses the messages,
   *   `MODEL_UNSUPPORTED` when it does not parse or fails
   */
  render(messages: readonly ChatMessage[], marks?: ContentMarks): Promise<string>;
}

/**
 * Looks for a model folder's chat template: `chat_template.jinja`, or else what
 * `tokenizer_config.json` says, one text or a list in which one is the default.
 * It is parsed, and the library for that loaded, when it is first used.
 *
 * @returns undefined where there is none
 * @throws StreamgaugeError `MODEL_CORRUPT` for a file that is damaged
 */
export async function readChatTemplate(folder: string): Promise<ChatTemplate | undefined> {
  const configFile = join(folder, "tokenizer_config.json");
  const config = (await readJsonObject(configFile)) ?? {};
  const ownFile = join(folder, "chat_template.jinja");
  const own = await readTextIfPresent(ownFile);
  const source = own ?? readSource(config["chat_template"], configFile);
  if (source === undefined) return undefined;
  return createChatTemplate(source, {
    file: own === undefined ? configFile : ownFile,
    specialTokens: readSpecialTokens(config),
  });
}

function readSource(value: unknown, file: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  const named = Array.isArray(value) ? (value as unknown[]).filter(isNamedTemplate) : [];
  if (!Array.isArray(value) || named.length < value.length) {
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `${file} is damaged: its chat_template is neither a text nor a list of { name, template }. ` +
        `Download it again.`,
    );
  }
  return named.find(({ name }) => name === "default")?.template;
}

function isNamedTemplate(value: unknown): value is { name: string; template: string } {
  return (
    isJsonObject(value) &&
    typeof value["name"] === "string" &&
    typeof value["template"] === "string"
  );
}

/** The special tokens that transformers.js hands to templates. */
const specialTokenNames = [
  "bos_token",
  "eos_token",
  "unk_token",
  "sep_token",
  "pad_token",
  "cls_token",
  "mask_token",
];

function readSpecialTokens(config: JsonObject): Record<string, string> {
  const tokens: Record<string, string> = {};
  for (const name of specialTokenNames) {
    const value = config[name];
    const token = isJsonObject(value) ? value["content"] : value;
    if (typeof token === "string" && token !== "") tokens[name] = token;
  }
  return tokens;
}

/** What a template throws when it does not like the messages. */
class TemplateRefusal extends Error {}

interface TemplateContext {
  /** Where the template is from, for messages. */
  readonly file: string;
  readonly specialTokens: Readonly<Record<string, string>>;
}

/** Parsing takes some milliseconds; the library's patterns may never end on a file made for that. */
const parseTimeLimitMilliseconds = 2_000;

function createChatTemplate(
  source: string,
  { file, specialTokens }: TemplateContext,
): ChatTemplate {
  const load = async () => {
    const { parseTemplate, render } = await import("./template-interpreter.js");
    const program = withinTime(parseTimeLimitMilliseconds, () => parseTemplate(source));
    return { program, render };
  };
  let loaded: ReturnType<typeof load> | undefined;
  return {
    async render(plain, marks) {
      const messages = marks?.markMessages(plain) ?? plain;
      const reveal = (text: string): string => marks?.reveal(text) ?? text;
      try {
        const { program, render } = await (loaded ??= load());
        const variables = {
          messages,
          add_generation_prompt: true,
          tools: null,
          documents: null,
          ...specialTokens,
          raise_exception: (message: string) => {
            throw new TemplateRefusal(message);
          },
        };
        return render(program, variables, new TemplateBudget(messages), marks);
      } catch (cause) {
        if (cause instanceof TemplateRefusal) {
          throw new StreamgaugeError(
            "INVALID_PROMPT",
            `The model's chat template refuses these messages: ${reveal(cause.message)} Change them, or ` +
              `give the prompt as text or token ids.`,
            { cause },
          );
        }
        throw new StreamgaugeError(
          "MODEL_UNSUPPORTED",
          `The chat template in ${file} cannot be used: ${reveal(messageOf(cause))}. Give the prompt as ` +
            `text or token ids, or another template in chat_template.jinja.`,
          { cause },
        );
      }
    },
  };
}

/**
 * Ids of a conversation up to where the answer begins. The special tokens of the template
 * are all there are: the tokenizer puts none around it.
 *
 * @param isPlain whether spellings of special tokens in the messages are plain text
 * @throws StreamgaugeError as {@link ChatTemplate.render}, and `INVALID_PROMPT` where plain
 *   text cannot be marked
 */
export async function encodeChat(
  template: ChatTemplate,
  tokenizer: Tokenizer,
  messages: readonly ChatMessage[],
  isPlain: boolean,
): Promise<number[]> {
  if (!isPlain) {
    return tokenizer.encode(await template.render(messages), { addSpecialTokens: false });
  }
  const marks = new ContentMarks(messages, tokenizer.specialSpellings);
  const marked = await template.render(messages, marks);
  return tokenizer.encode(marked, { addSpecialTokens: false, plain: marks });
}
