import { load } from '../../src/load.ts';
import type { EngineOptions, Loader } from './engine.ts';

export { version } from '../../src/version.ts';

/** This engine opens its device in `load`; that time is part of its load. */
export async function start({ plan }: EngineOptions): Promise<Loader> {
  return {
    async load({ graph, onnx, tflite, tfliteOrigin }) {
      const own = tfliteOrigin === 'own';
      const options = { device: 'webgpu', tuning: 'off', name: own ? graph.name : `${graph.name}.onnx` } as const;
      const model = await load(own ? tflite : onnx, { ...options, ...(plan ? { plan } : {}) });
      const names = model.inputs.map(({ name }) => name);
      return {
        // As many as it has buffers to read back.
        inFlight: 3,
        ...(own ? { note: 'own file' } : {}),
        // As in a page where `tuning` is left on, but at a known time; nothing is remembered from another run.
        async settle() {
          await model.tune({ cache: null });
        },
        async run(inputs) {
          const outputs = await model.run(Object.fromEntries(names.map((name, i) => [name, inputs[i]!])));
          return graph.outputs.map(({ name }) => outputs[name]!);
        },
      };
    },
  };
}
