import type { CheckpointConfig, Weight } from "./random-checkpoint.js";

/** How the reference multiplies a vector by a matrix of the checkpoint. */
export type Multiply = (name: string, input: readonly number[]) => number[];

export interface ForwardOptions {
  readonly weights: ReadonlyMap<string, Weight>;
  readonly multiply: Multiply;
  /** The row of an id in the embedding. */
  readonly embed: (id: number) => number[];
}

/** input · weightᵀ */
export function multiplyBy({ shape, values }: Weight, input: readonly number[]): number[] {
  const [rows = 0, columns = 0] = shape;
  return Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += values[row * columns + i]! * input[i]!;
    return sum;
  });
}

/**
 * Logits at each position of a sequence, written down from the models' papers
 * with nothing but loops over numbers: no cache, no stacking, no fusion.
 */
export function forward(
  config: CheckpointConfig,
  ids: readonly number[],
  { weights, multiply, embed }: ForwardOptions,
): number[][] {
  const { num_attention_heads: heads, num_key_value_heads: keyHeads, head_dim: size } = config;
  const vector = (name: string): number[] => Array.from(weights.get(name)!.values);
  const norm = (x: readonly number[], name: string): number[] => {
    const scale = vector(`${name}.weight`);
    const power = x.reduce((sum, value) => sum + value * value, 0) / x.length;
    const factor = 1 / Math.sqrt(power + (config["rms_norm_eps"] as number));
    return x.map((value, i) => value * factor * scale[i]!);
  };
  const linear = (name: string, x: readonly number[]): number[] => {
    const product = multiply(`${name}.weight`, x);
    if (!weights.has(`${name}.bias`)) return product;
    const bias = vector(`${name}.bias`);
    return product.map((value, i) => value + bias[i]!);
  };
  /** Splits into heads; normalises and rotates each where asked. */
  const headsOf = (x: readonly number[], position: number, normName?: string): number[][] => {
    const split = Array.from({ length: x.length / size }, (_, head) =>
      x.slice(head * size, (head + 1) * size),
    );
    return split.map((head) => {
      const normal = normName !== undefined && weights.has(`${normName}.weight`);
      return rotate(normal ? norm(head, normName) : head, position, config);
    });
  };

  const states = ids.map(embed);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`;
    const inputs = states.map((state) => norm(state, `${at}.input_layernorm`));
    const attention = `${at}.self_attn`;
    const keys = inputs.map((x, position) =>
      headsOf(linear(`${attention}.k_proj`, x), position, `${attention}.k_norm`),
    );
    const values = inputs.map((x) => linear(`${attention}.v_proj`, x));
    for (const [position, x] of inputs.entries()) {
      const queries = headsOf(linear(`${attention}.q_proj`, x), position, `${attention}.q_norm`);
      const mixed = queries.flatMap((query, head) => {
        const group = Math.floor(head / (heads / keyHeads));
        const scores = keys
          .slice(0, position + 1)
          .map((key) => dot(query, key[group]!) / Math.sqrt(size));
        const shares = softmax(scores);
        return query.map((_, i) =>
          shares.reduce((sum, share, past) => sum + share * values[past]![group * size + i]!, 0),
        );
      });
      states[position] = add(states[position]!, linear(`${attention}.o_proj`, mixed));
    }
    for (const [position, state] of states.entries()) {
      const x = norm(state, `${at}.post_attention_layernorm`);
      const gate = linear(`${at}.mlp.gate_proj`, x);
      const up = linear(`${at}.mlp.up_proj`, x);
      const gated = gate.map((value, i) => (value / (1 + Math.exp(-value))) * up[i]!);
      states[position] = add(state, linear(`${at}.mlp.down_proj`, gated));
    }
  }
  const head = config.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  return states.map((state) => multiply(head, norm(state, "model.norm")));
}

interface Rope {
  readonly rope_type?: string;
  readonly factor: number;
  readonly low_freq_factor: number;
  readonly high_freq_factor: number;
  readonly original_max_position_embeddings: number;
}

function rotate(head: readonly number[], position: number, config: CheckpointConfig): number[] {
  const half = head.length / 2;
  const rotated = [...head];
  for (let i = 0; i < half; i++) {
    const angle = position * frequency(i / half, config);
    const [a, b] = [head[i]!, head[i + half]!];
    rotated[i] = a * Math.cos(angle) - b * Math.sin(angle);
    rotated[i + half] = b * Math.cos(angle) + a * Math.sin(angle);
  }
  return rotated;
}

/** Llama 3's rule by wavelengths, as its code has it. */
function frequency(share: number, config: CheckpointConfig): number {
  const plain = 1 / (config["rope_theta"] as number) ** share;
  const rope = config["rope_scaling"] as Rope | undefined;
  if (rope === undefined) return plain;
  const wavelength = (2 * Math.PI) / plain;
  const original = rope.original_max_position_embeddings;
  if (wavelength < original / rope.high_freq_factor) return plain;
  if (wavelength > original / rope.low_freq_factor) return plain / rope.factor;
  const smooth =
    (original / wavelength - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
  return ((1 - smooth) * plain) / rope.factor + smooth * plain;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function add(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value + b[i]!);
}

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
