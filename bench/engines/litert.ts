import { type CompiledModel, type CompileOptions, loadAndCompile, Tensor } from '@litertjs/core';
import type { Loader } from './engine.ts';

/** Loads and runs TensorFlow Lite files; `check` throws where the runtime did not do what it was asked to. */
export function loaderWith(
  note: string,
  options: CompileOptions,
  check: (model: CompiledModel) => void = () => {},
): Loader {
  return {
    async load({ graph, tflite }) {
      const model = await loadAndCompile(tflite, options);
      check(model);
      return {
        ...(note ? { note } : {}),
        async run(inputs) {
          const tensors = graph.inputs.map(({ name, shape }, i) => [name, new Tensor(inputs[i]!, [...shape])] as const);
          const results = await model.run(Object.fromEntries(tensors));
          for (const [, tensor] of tensors) tensor.delete();
          const outputs = await Promise.all(
            graph.outputs.map(async ({ name }) => {
              const tensor = await results[name]!.moveTo('wasm');
              const values = tensor.toTypedArray() as Float32Array;
              tensor.delete();
              return values;
            }),
          );
          return outputs;
        },
      };
    },
  };
}
