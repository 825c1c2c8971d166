import { isJsonObject, parseJsonObject } from "../../json-object.js";
import { ElementType } from "../protobuf.js";
import { graphFileName, numberFormat, type BuildDtype } from "../model-dtype.js";

/**
 * Adds to a `config.json` what transformers.js has to know of the graphs beside
 * it, under `transformers.js_config`: which have external data, which have a
 * half-precision cache, and which one is meant when nobody says.
 *
 * @param built each dtype, the default first, and how many files its graph is in
 * @returns the configuration unchanged where there is nothing to tell
 */
export function describeDtypes(
  config: string,
  built: readonly { readonly dtype: BuildDtype; readonly files: number }[],
): string {
  const external = built.filter(({ files }) => files > 1);
  const half = built.filter(({ dtype }) => numberFormat(dtype).float === ElementType.float16);
  const first = built[0]?.dtype;
  const facts = {
    ...(first === undefined || first === "fp32" ? {} : { dtype: first }),
    ...(half.length === 0
      ? {}
      : { kv_cache_dtype: Object.fromEntries(half.map(({ dtype }) => [dtype, "float16"])) }),
    ...(external.length === 0
      ? {}
      : {
          use_external_data_format: Object.fromEntries(
            external.map(({ dtype, files }) => [graphFileName(dtype), files - 1]),
          ),
        }),
  };
  const parsed = parseJsonObject(config, "config.json");
  const before = parsed["transformers.js_config"];
  if (Object.keys(facts).length === 0 && before === undefined) return config;
  // What a checkpoint says there is of other files.
  const {
    dtype: _dtype,
    kv_cache_dtype: _cache,
    use_external_data_format: _external,
    ...others
  } = isJsonObject(before) ? before : {};
  const merged = { ...parsed, "transformers.js_config": { ...others, ...facts } };
  return `${JSON.stringify(merged, undefined, 2)}\n`;
}
