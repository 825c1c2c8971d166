import { graphFileName, type ModelDtype } from "../onnx/model-dtype.js";

/**
 * Where a folder in Hugging Face's layout may have the graph of a dtype, with "/", in the order
 * in which it is looked for.
 */
export function graphPlaces(dtype: ModelDtype): readonly string[] {
  return ["onnx/", ""].flatMap((inner) =>
    (["model", "decoder_model_merged"] as const).map(
      (stem) => `${inner}${graphFileName(dtype, stem)}`,
    ),
  );
}
