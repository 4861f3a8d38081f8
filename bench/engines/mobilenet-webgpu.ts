import { openGpu } from '../../src/device/gpu.ts';
import { load } from '../../src/load.ts';
import type { EngineOptions, Loader } from './engine.ts';
import { withoutCheck } from './keys.ts';

export { version } from '../../src/version.ts';

/** Opens the device that `load` would open by itself. */
export async function start({ plan, precision, setting }: EngineOptions): Promise<Loader> {
  const selfCheck = setting === withoutCheck ? 'off' : 'once';
  const { device: gpuDevice } = await openGpu();
  return {
    async load({ graph, onnx, tflite, tfliteOrigin }) {
      const own = tfliteOrigin === 'own';
      const options = { device: 'webgpu', gpuDevice, tuning: 'off', plan, precision, selfCheck } as const;
      const name = own ? graph.name : `${graph.name}.onnx`;
      const model = await load(own ? tflite : onnx, { ...options, name });
      const names = model.inputs.map(({ name }) => name);
      return {
        // As many as it has buffers to read back.
        inFlight: 3,
        ...(own ? { note: 'own file' } : {}),
        // As in a page where `tuning` is left on, but at a known time; nothing is remembered from another run.
        async settle(tuned) {
          await model.tune({ cache: null, ...(tuned ? {} : { budgetMs: 0 }) });
        },
        async run(inputs: readonly Float32Array[]) {
          const outputs = await model.run(Object.fromEntries(names.map((name, i) => [name, inputs[i]!])));
          return graph.outputs.map(({ name }) => outputs[name]!);
        },
      };
    },
  };
}
