import type * as Ort from 'onnxruntime-web';
import { inferShapes, sizeOf } from '../../src/graph/shapes.ts';
import type { Graph, Shape } from '../../src/index.ts';
import type { EngineOptions, Loader, Session } from './engine.ts';

type SessionOptions = Ort.InferenceSession.SessionOptions;

/**
 * Starts WebAssembly, and on WebGPU the device, which both wait for a first session. `capture`: record the first run of
 * a model and replay it, where every operation of it runs on the GPU.
 */
export async function startRuntime(
  ort: typeof Ort,
  { threads, runtime, smallestOnnx }: EngineOptions,
  options: SessionOptions,
  capture: boolean,
): Promise<Loader> {
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = `${runtime}/onnxruntime-web/`;
  ort.env.logLevel = 'error';
  const common: SessionOptions = { graphOptimizationLevel: 'all', logSeverityLevel: 3, ...options };
  await (await ort.InferenceSession.create(smallestOnnx, common)).release();
  return {
    async load({ graph, onnx }) {
      const begin = performance.now();
      if (capture) {
        try {
          const captured = { enableGraphCapture: true, preferredOutputLocation: 'gpu-buffer' } as const;
          const session = await ort.InferenceSession.create(onnx, { ...common, ...captured });
          const feed = await gpuFeeds(ort, graph.inputs);
          return { ...sessionOf(graph, session, feed), note: 'graph capture' };
        } catch {
          // Refused for this model: it runs as usual, and its time begins again.
        }
      }
      const lostMs = performance.now() - begin;
      const session = await ort.InferenceSession.create(onnx, common);
      return { ...sessionOf(graph, session, cpuFeeds(ort, graph.inputs)), lostMs };
    },
  };
}

function sessionOf(graph: Graph, session: Ort.InferenceSession, feed: Feed): Session {
  const shapes = inferShapes(graph);
  return {
    async run(inputs) {
      const results = await session.run(feed(inputs));
      const outputs = graph.outputs.map(({ name }) => results[name]!);
      const data = await Promise.all(outputs.map((tensor) => tensor.getData() as Promise<Float32Array>));
      for (const tensor of outputs) tensor.dispose();
      return data;
    },
    prepare: (inputs) => inputs.map((data, i) => toNchw(data, graph.inputs[i]!.shape)),
    restore: (outputs) => outputs.map((data, i) => toNhwc(data, shapes.get(graph.outputs[i]!.tensor)!)),
  };
}

type Feed = (inputs: readonly Float32Array[]) => Record<string, Ort.Tensor>;
type GraphInputs = readonly { readonly name: string; readonly shape: Shape }[];

const cpuFeeds =
  (ort: typeof Ort, graphInputs: GraphInputs): Feed =>
  (inputs) =>
    Object.fromEntries(
      graphInputs.map(({ name, shape: [n, h, w, c] }, i) => [
        name,
        new ort.Tensor('float32', inputs[i]!, [n, c, h, w]),
      ]),
    );

/** A captured graph reads its inputs from the same buffers at every run. */
async function gpuFeeds(ort: typeof Ort, graphInputs: GraphInputs): Promise<Feed> {
  const device = (await ort.env.webgpu.device) as GPUDevice;
  const buffers = graphInputs.map(({ shape }) =>
    device.createBuffer({
      size: 16 * Math.ceil(sizeOf(shape) / 4),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    }),
  );
  const feeds = Object.fromEntries(
    graphInputs.map(({ name, shape: [n, h, w, c] }, i) => [
      name,
      ort.Tensor.fromGpuBuffer(buffers[i]!, { dataType: 'float32', dims: [n, c, h, w] }),
    ]),
  );
  return (inputs) => {
    for (const [i, values] of inputs.entries()) {
      device.queue.writeBuffer(buffers[i]!, 0, values as Float32Array<ArrayBuffer>);
    }
    return feeds;
  };
}

const toNchw = (data: Float32Array, [n, h, w, c]: Shape): Float32Array => transposed(data, n, h * w, c);

const toNhwc = (data: Float32Array, [n, h, w, c]: Shape): Float32Array => transposed(data, n, c, h * w);

/** `[batch][rows][columns]` as `[batch][columns][rows]`. */
function transposed(data: Float32Array, batch: number, rows: number, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  let from = 0;
  for (let b = 0; b < batch; b++) {
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) result[(b * columns + c) * rows + r] = data[from++]!;
    }
  }
  return result;
}
