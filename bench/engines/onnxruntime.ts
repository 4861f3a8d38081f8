import type * as Ort from 'onnxruntime-web';
import { inferShapes } from '../../src/graph/shapes.ts';
import type { Graph, Shape } from '../../src/index.ts';
import type { EngineOptions, Loader } from './engine.ts';

/** Starts the WebAssembly part, which the WebGPU part needs as well. */
export async function startRuntime(
  ort: typeof Ort,
  { threads, runtime }: EngineOptions,
  session: Ort.InferenceSession.SessionOptions,
): Promise<Loader> {
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = `${runtime}/onnxruntime-web/`;
  ort.env.logLevel = 'error';
  return {
    async load({ graph, onnx }) {
      const loaded = await ort.InferenceSession.create(onnx, {
        graphOptimizationLevel: 'all',
        logSeverityLevel: 3,
        ...session,
      });
      const shapes = inferShapes(graph);
      return {
        async run(inputs) {
          const feeds = graph.inputs.map(({ name, shape: [n, h, w, c] }, i) => {
            return [name, new ort.Tensor('float32', inputs[i]!, [n, c, h, w])] as const;
          });
          const results = await loaded.run(Object.fromEntries(feeds));
          return Promise.all(graph.outputs.map(({ name }) => results[name]!.getData() as Promise<Float32Array>));
        },
        prepare: (inputs) => inputs.map((data, i) => toNchw(data, graph.inputs[i]!.shape)),
        restore: (outputs) => outputs.map((data, i) => toNhwc(data, shapes.get(outputTensor(graph, i))!)),
      };
    },
  };
}

const outputTensor = (graph: Graph, i: number): string => graph.outputs[i]!.tensor;

export function toNchw(data: Float32Array, [n, h, w, c]: Shape): Float32Array {
  return permuted(data, n, h * w, c);
}

export function toNhwc(data: Float32Array, [n, h, w, c]: Shape): Float32Array {
  return permuted(data, n, c, h * w);
}

/** `[batch][rows][columns]` as `[batch][columns][rows]`. */
function permuted(data: Float32Array, batch: number, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  let from = 0;
  for (let b = 0; b < batch; b++) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) result[(b * columns + c) * rows + r] = data[from++]!;
    }
  }
  return result;
}
