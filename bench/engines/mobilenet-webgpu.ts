import { load } from '../../src/load.ts';
import type { EngineOptions, Loader } from './engine.ts';

export { version } from '../../src/version.ts';

/** This engine opens its device in `load`; that time is part of its load. */
export async function start({ plan }: EngineOptions): Promise<Loader> {
  return {
    async load({ graph, onnx }) {
      const model = await load(onnx, { device: 'webgpu', name: `${graph.name}.onnx`, ...(plan ? { plan } : {}) });
      const names = model.inputs.map(({ name }) => name);
      return {
        async run(inputs) {
          const outputs = await model.run(Object.fromEntries(names.map((name, i) => [name, inputs[i]!])));
          return graph.outputs.map(({ name }) => outputs[name]!);
        },
      };
    },
  };
}
