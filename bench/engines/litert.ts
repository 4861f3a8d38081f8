import { type CompiledModel, type CompileOptions, loadAndCompile, Tensor } from '@litertjs/core';
import type { Loader, TfliteOrigin } from './engine.ts';

const origins: Readonly<Record<TfliteOrigin, string>> = {
  own: 'own file',
  written: '',
  dequantised: 'a file with real weights in place of its own, which is quantised',
};

/** Loads and runs TensorFlow Lite files; `check` throws where the runtime did not do what it was asked to. */
export function loaderWith(
  note: string,
  inFlight: number,
  options: CompileOptions,
  check: (model: CompiledModel) => void = () => {},
): Loader {
  return {
    async load({ graph, tflite, tfliteOrigin }) {
      const model = await loadAndCompile(tflite, options);
      check(model);
      const details = model.getInputDetails();
      // Place in the file → place in the graph.
      const fed = details.map(({ name }, i) => placeOf(graph.inputs, name, i));
      const read = graph.outputs.map(({ name }, i) => placeOf(model.getOutputDetails(), name, i));
      const notes = [note, origins[tfliteOrigin]].filter(Boolean);
      return {
        ...(notes.length > 0 ? { note: notes.join(', ') } : {}),
        inFlight,
        async run(inputs) {
          const tensors = details.map(({ shape }, i) => new Tensor(inputs[fed[i]!]!, [...shape]));
          const results = await model.run(tensors);
          for (const tensor of tensors) tensor.delete();
          return Promise.all(
            read.map(async (at) => {
              const tensor = await results[at]!.moveTo('wasm');
              const values = tensor.toTypedArray() as Float32Array;
              tensor.delete();
              return values;
            }),
          );
        },
      };
    },
  };
}

/** Where the tensor of this name is; at `otherwise` where a signature calls it by another name. */
function placeOf(tensors: readonly { readonly name: string }[], name: string, otherwise: number): number {
  const place = tensors.findIndex((tensor) => tensor.name === name);
  return place < 0 ? otherwise : place;
}
