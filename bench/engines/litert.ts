import {
  type CompiledModel,
  type CompileOptions,
  getWebGpuDevice,
  loadAndCompile,
  Tensor,
  type TensorDetails,
} from '@litertjs/core';
import { realOf, storedAs } from '../stored.ts';
import type { Loader, TfliteOrigin, Values } from './engine.ts';

const origins: Readonly<Record<TfliteOrigin, string>> = {
  own: 'own file',
  written: '',
  dequantised: 'a file with real weights in place of its own, which is quantised',
};

export interface LoaderOptions {
  readonly inFlight: number;
  /** Inputs of real numbers are written into buffers of the GPU that stay, and outputs read by `data()`. */
  readonly keepInputs?: boolean;
  /** Throws where the runtime did not do what it was asked to. */
  readonly check?: (model: CompiledModel, quantised: boolean) => void;
}

/** Loads and runs TensorFlow Lite files. */
export function loaderWith(
  options: CompileOptions,
  { inFlight, keepInputs = false, check = () => {} }: LoaderOptions,
): Loader {
  return {
    async load({ graph, tflite, tfliteOrigin, ends }) {
      const model = await loadAndCompile(tflite, options);
      check(model, ends !== null);
      const details = model.getInputDetails();
      const kept = keepInputs && details.every(({ dtype }) => dtype === 'float32');
      // Place in the file → place in the graph.
      const fed = details.map(({ name }, i) => placeOf(graph.inputs, name, i));
      const read = graph.outputs.map(({ name }, i) => placeOf(model.getOutputDetails(), name, i));
      const tensorsOf = kept ? keptTensors(details, inFlight) : newTensors(details);
      const note = [
        origins[tfliteOrigin],
        options.accelerator === 'wasm' || model.isFullyAccelerated ? '' : 'in part on WebAssembly',
      ];
      return {
        note: note.filter(Boolean).join(', '),
        // Of bytes from memory it takes one at a time.
        inFlight: ends ? 1 : inFlight,
        ...(ends && {
          prepare: (inputs) => inputs.map((values, i) => storedAs(values, ends.inputs[i]!)),
          restore: (outputs) => outputs.map((values, i) => realOf(values, ends.outputs[i]!)),
        }),
        async run(inputs) {
          const tensors = tensorsOf(fed.map((at) => inputs[at]!));
          const results = await model.run(tensors);
          if (!kept) for (const tensor of tensors) tensor.delete();
          return Promise.all(read.map((at) => valuesOf(results[at]!, keepInputs)));
        },
      };
    },
  };
}

async function valuesOf(result: Tensor, byData: boolean): Promise<Values> {
  const tensor = byData ? result : await result.moveTo('wasm');
  const values = byData ? await tensor.data() : tensor.toTypedArray();
  tensor.delete();
  return values as Values;
}

const newTensors = (details: readonly TensorDetails[]) => (values: readonly Values[]) =>
  details.map(({ shape }, i) => new Tensor(values[i] as Float32Array, [...shape]));

/** A ring of as many as are in flight at once. */
function keptTensors(details: readonly TensorDetails[], inFlight: number) {
  const device = getWebGpuDevice();
  if (!device) throw new Error('LiteRT.js has no device');
  const rings = Array.from({ length: inFlight }, () =>
    details.map(({ shape, dtype }) => {
      const buffer = device.createBuffer({
        size: 4 * shape.reduce((size, length) => size * length, 1),
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
      });
      return { buffer, tensor: new Tensor(buffer, [...shape], dtype) };
    }),
  );
  let runs = 0;
  return (values: readonly Values[]) =>
    rings[runs++ % inFlight]!.map(({ buffer, tensor }, i) => {
      device.queue.writeBuffer(buffer, 0, values[i] as Float32Array<ArrayBuffer>);
      return tensor;
    });
}

/** Where the tensor of this name is; at `otherwise` where a signature calls it by another name. */
function placeOf(tensors: readonly { readonly name: string }[], name: string, otherwise: number): number {
  const place = tensors.findIndex((tensor) => tensor.name === name);
  return place < 0 ? otherwise : place;
}
