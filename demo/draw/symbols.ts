// The package exports only its code, so its model and labels are addressed as files.
import labels from '../../node_modules/detypify-service/train/infer.json';
import modelUrl from '../../node_modules/detypify-service/train/model.onnx?url';

/** The address of detypify's MobileNetV4: input [1, 224, 224, 1], output 411 logits. */
export const symbolModelUrl: string = modelUrl;

export interface Symbol {
  readonly char: string;
  /** Names in Typst's notation: `arrow.r.long`. */
  readonly names: readonly string[];
}

/** The symbols in the order of the model's output. */
export const symbols: readonly Symbol[] = labels;
