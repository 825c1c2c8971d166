import { peculiaritiesOf } from "./forward-peculiarities.js";
import type { CheckpointConfig, Weight } from "./random-checkpoint.js";
import type { ReferenceRope } from "./rope-reference.js";

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
 *
 * @param context how many ids there are, where the rotation depends on it
 */
export function forward(
  config: CheckpointConfig,
  ids: readonly number[],
  { weights, multiply, embed }: ForwardOptions,
  context: number = ids.length,
): number[][] {
  const { num_attention_heads: heads, num_key_value_heads: keyHeads, head_dim: size } = config;
  const own = peculiaritiesOf(config, context);
  const vector = (name: string): number[] => Array.from(weights.get(name)!.values);
  /** As it is where there is no norm in this place. */
  const norm = (x: readonly number[], name: string | undefined): readonly number[] => {
    if (name === undefined) return x;
    const scale = vector(`${name}.weight`);
    const power = x.reduce((sum, value) => sum + value * value, 0) / x.length;
    const factor = 1 / Math.sqrt(power + (config["rms_norm_eps"] as number));
    return x.map((value, i) => value * factor * (scale[i]! + own.normOffset));
  };
  const linear = (name: string, x: readonly number[]): number[] => {
    const product = multiply(`${name}.weight`, x);
    if (!weights.has(`${name}.bias`)) return product;
    const bias = vector(`${name}.bias`);
    return product.map((value, i) => value + bias[i]!);
  };
  /** Queries, keys and values, of three matrices or of one. */
  const project = (at: string, x: readonly number[]): readonly (readonly number[])[] => {
    if (weights.has(`${at}.qkv_proj.weight`)) {
      const all = linear(`${at}.qkv_proj`, x);
      const [end, next] = [heads * size, (heads + keyHeads) * size];
      return [all.slice(0, end), all.slice(end, next), all.slice(next)];
    }
    const [q, k, v] = ["q", "k", "v"].map((part) => linear(`${at}.${part}_proj`, x));
    const over = weights.get(`${at}.q_norm.weight`)?.shape[0];
    if (over === undefined || over === size) return [q!, k!, v!];
    // OLMo-2's norms are over all heads at once.
    return [norm(q!, `${at}.q_norm`), norm(k!, `${at}.k_norm`), v!];
  };
  /** Splits into heads; normalises and rotates each where asked. */
  const headsOf = (
    x: readonly number[],
    position: number,
    normName: string,
    rope: ReferenceRope | undefined,
  ): (readonly number[])[] => {
    const byHead = weights.get(`${normName}.weight`)?.shape[0] === size;
    return Array.from({ length: x.length / size }, (_, head) => {
      const part = norm(
        x.slice(head * size, (head + 1) * size),
        byHead && x.length > 0 ? normName : undefined,
      );
      return rope === undefined ? part : rotate(part, position, rope);
    });
  };
  /** Gate and what it is in front of, of two matrices or of one. */
  const gateAndUp = (at: string, x: readonly number[]): readonly (readonly number[])[] => {
    if (!weights.has(`${at}.gate_up_proj.weight`)) {
      return [linear(`${at}.gate_proj`, x), linear(`${at}.up_proj`, x)];
    }
    const all = linear(`${at}.gate_up_proj`, x);
    return [all.slice(0, all.length / 2), all.slice(all.length / 2)];
  };
  const addBranch = (
    state: readonly number[],
    branch: readonly number[],
    after: string | undefined,
  ): number[] => {
    const added = norm(branch, after);
    return state.map((value, i) => value + added[i]! * own.branchFactor);
  };

  const states = ids.map((id) => embed(id).map((value) => value * own.embeddingFactor));
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `model.layers.${layer}`;
    const named = (name: string | undefined): string | undefined => name && `${at}.${name}`;
    const attention = `${at}.self_attn`;
    const rope = own.rope(layer);
    const projected = states.map((state) =>
      project(attention, norm(state, named(own.norms.beforeAttention))),
    );
    const keys = projected.map(([, k], position) =>
      headsOf(k!, position, `${attention}.k_norm`, rope),
    );
    for (const [position, [q]] of projected.entries()) {
      const queries = headsOf(q!, position, `${attention}.q_norm`, rope);
      const first = Math.max(0, position + 1 - own.window(layer));
      const mixed = queries.flatMap((query, head) => {
        const group = Math.floor(head / (heads / keyHeads));
        const scores = keys
          .slice(first, position + 1)
          .map((key) => dot(query, key[group]!) * own.scoreFactor);
        const shares = softmax(scores);
        return query.map((_, i) =>
          shares.reduce(
            (sum, share, past) => sum + share * projected[first + past]![2]![group * size + i]!,
            0,
          ),
        );
      });
      const branch = linear(`${attention}.o_proj`, mixed);
      states[position] = addBranch(states[position]!, branch, named(own.norms.afterAttention));
    }
    for (const [position, state] of states.entries()) {
      const [gate, up] = gateAndUp(`${at}.mlp`, norm(state, named(own.norms.beforeMlp)));
      const gated = gate!.map((value, i) => own.activation(value) * up![i]!);
      const branch = linear(`${at}.mlp.down_proj`, gated);
      states[position] = addBranch(state, branch, named(own.norms.afterMlp));
    }
  }
  const head = config.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  return states.map((state) =>
    multiply(head, norm(state, "model.norm")).map((logit) => logit / own.logitsDivisor),
  );
}

/**
 * The id that the logits of a full context choose behind each of the last positions of a sequence.
 * Where these are the ids that follow, the sequence is what greedy decoding makes.
 *
 * @param from position of the first of them
 * @param border most ids that are computed as a short context; undefined: all are alike
 */
export function choicesFrom(
  config: CheckpointConfig,
  ids: readonly number[],
  from: number,
  options: ForwardOptions,
  border?: number,
): number[] {
  const short = forward(config, ids, options, Math.min(ids.length, border ?? Infinity));
  const isLong = border !== undefined && ids.length > border;
  const long = isLong ? forward(config, ids, options) : short;
  return ids.slice(from).map((_, at) => {
    const position = from + at;
    const logits = (position + 1 > (border ?? Infinity) ? long : short)[position]!;
    return logits.indexOf(Math.max(...logits));
  });
}

function rotate(
  head: readonly number[],
  position: number,
  { frequencies, magnitude }: ReferenceRope,
): number[] {
  const half = frequencies.length;
  const rotated = [...head];
  for (const [i, frequency] of frequencies.entries()) {
    const angle = position * frequency;
    const [a, b] = [head[i]! * magnitude, head[i + half]! * magnitude];
    rotated[i] = a * Math.cos(angle) - b * Math.sin(angle);
    rotated[i + half] = b * Math.cos(angle) + a * Math.sin(angle);
  }
  return rotated;
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

function softmax(scores: readonly number[]): number[] {
  const largest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - largest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
