/**
 * What Hugging Face calls a decoder's inputs and outputs, and so do we. `%d`
 * stands for the layer.
 */
export const standardNames = {
  inputIds: "input_ids",
  attentionMask: "attention_mask",
  positionIds: "position_ids",
  /** A bool of exports that merge two graphs: whether to read the cache, which the first run must not. */
  cacheBranch: "use_cache_branch",
  /** The number of positions, counted from the last, whose logits are wanted. */
  logitsCount: "num_logits_to_keep",
  pastKey: "past_key_values.%d.key",
  pastValue: "past_key_values.%d.value",
  pastConvolution: "past_conv.%d",
  pastRecurrence: "past_recurrent.%d",
  logits: "logits",
  presentKey: "present.%d.key",
  presentValue: "present.%d.value",
  presentConvolution: "present_conv.%d",
  presentRecurrence: "present_recurrent.%d",
} as const;

/** How a graph's names relate to Hugging Face's, for graphs that have their own. */
export interface GraphNames {
  /** The graph's own name of what Hugging Face calls so. */
  own(standard: string): string;
  /** Hugging Face's name of what the graph calls so; undefined for what is none of them. */
  standard(own: string): string | undefined;
}

/** @param renamed the graph's own names, where they are others */
export function createGraphNames(
  renamed: Readonly<Partial<Record<keyof typeof standardNames, string>>> = {},
): GraphNames {
  const pairs = (Object.keys(standardNames) as (keyof typeof standardNames)[]).map((key) => ({
    standard: standardNames[key] as string,
    own: renamed[key] ?? standardNames[key],
  }));
  const translate = (
    name: string,
    from: "own" | "standard",
    to: "own" | "standard",
  ): string | undefined => {
    for (const pair of pairs) {
      const layer = layerOf(name, pair[from]);
      if (layer !== undefined) return pair[to].replace("%d", layer);
    }
    return undefined;
  };
  return {
    own: (name) => translate(name, "standard", "own") ?? name,
    standard: (name) => translate(name, "own", "standard"),
  };
}

/** The layer in a name that follows the pattern, "" where the pattern has none; undefined otherwise. */
function layerOf(name: string, pattern: string): string | undefined {
  const [before = "", after] = pattern.split("%d");
  if (after === undefined) return name === pattern ? "" : undefined;
  if (!name.startsWith(before) || !name.endsWith(after)) return undefined;
  const layer = name.slice(before.length, name.length - after.length);
  return /^\d+$/.test(layer) ? layer : undefined;
}
