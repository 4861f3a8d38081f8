/** Saved models on integers: the same graph again, whole or as it arrives, and damaged ones refused. */
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildArchitecture } from '../../../src/architectures/index.ts';
import type { CpuEngine } from '../../../src/cpu/engine.ts';
import { ModelFormatError, UnsupportedOpError, UsageError } from '../../../src/errors.ts';
import type { Graph } from '../../../src/graph/graph.ts';
import { seededInputs } from '../../../src/graph/random-inputs.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { readSafetensors, writeSafetensors } from '../../../src/loaders/safetensors/container.ts';
import { withByteWeights } from '../../../src/passes/byte-weights.ts';
import { runPasses } from '../../../src/passes/index.ts';
import { integerGraph } from '../../../src/passes/integers.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { saveModel as save } from '../../../src/save-model.ts';
import { FakeGpu } from '../../support/fake-gpu.ts';
import { quantisedOnnx } from '../../support/onnx-quantiser.ts';
import { randomValues } from '../../support/oracles.ts';
import { quantised } from '../../support/quantiser.ts';
import { load } from '../../support/unchecked-load.ts';

const open = (bytes: Uint8Array) => loadGraph({ name: 'model.safetensors', bytes });
const onIntegers = async (name: string, bytes: Uint8Array) =>
  integerGraph(await loadGraph({ name, bytes }, { quantisation: true }));

/** By the runtime whose arithmetic it has. */
const graphs: Record<string, Graph> = {};
let tflite: Uint8Array;

beforeAll(async () => {
  const example = randomValues(64 * 64 * 3, 3, -1, 1);
  const v3 = runPasses(buildArchitecture('v3-small-0.35-64', { classes: 5 }));
  const [file] = await quantised(v3, [example], [{ type: 'int8', activations: 'ranges', ends: 'floats' }]);
  tflite = file!.bytes;
  graphs.xnnpack = await onIntegers('v3.tflite', tflite);
  const v2 = runPasses(buildArchitecture('v2-0.35-64', { classes: 5 }));
  graphs.mlas = await onIntegers('v2.onnx', quantisedOnnx(v2, example, 'qlinear').bytes);
});

afterEach(() => vi.unstubAllGlobals());

describe('a saved model on integers', () => {
  it.each(['xnnpack', 'mlas'])('is the graph of %s, and gives the same bits', async (runtime) => {
    const graph = graphs[runtime]!;
    const bytes = await save(graph, {});
    const again = await open(bytes);
    // JSON knows no −0.
    const plain = (one: Graph) => JSON.parse(JSON.stringify(one));
    expect(plain(again)).toEqual(plain(graph));
    expect(readSafetensors('a', bytes).metadata.version).toBe('2');
    const inputs = seededInputs(graph);
    expect(runGraph(again, inputs)).toEqual(runGraph(graph, inputs));
  });

  it('is what a model on integers saves, in less than a third of the bytes of float32, and loads as', async () => {
    const from = await load(tflite, { device: 'reference' });
    const bytes = await from.save();
    const real = await load(tflite, { device: 'reference', precision: 'float32' });
    expect(bytes.length).toBeLessThan((await real.save()).length / 3);
    const again = await load(bytes, { device: 'reference' });
    expect([from.precision, again.precision]).toEqual(['int8', 'int8']);
    const inputs = seededInputs(again.graph);
    expect(await again.run(inputs)).toEqual(await from.run(inputs));
  });

  it('has no real numbers to run on or to be saved with', async () => {
    const bytes = await save(graphs.xnnpack!, {});
    await expect(load(bytes, { device: 'reference', precision: 'float32' })).rejects.toThrow(UsageError);
    await expect(save(graphs.xnnpack!, { weights: 'float16' })).rejects.toThrow(UsageError);
  });

  it('has layers on real numbers too, whose weights may be bytes', async () => {
    const { nodes, outputs, ...rest } = graphs.xnnpack!;
    const layer = { inputs: [outputs[0]!.tensor], weights: randomValues(20, 5, -1, 1), bias: null, outFeatures: 4 };
    const graph: Graph = {
      ...rest,
      nodes: [...nodes, { op: 'fully-connected', name: 'head', output: 'head', activation: 'none', ...layer }],
      outputs: [{ name: 'head', tensor: 'head' }],
    };
    const again = await open(await save(withByteWeights(graph), {}));
    expect(again.nodes.at(-1)).toEqual(withByteWeights(graph).nodes.at(-1));
    const inputs = seededInputs(graph);
    expect(runGraph(again, inputs)).toEqual(runGraph(withByteWeights(graph), inputs));
  });

  it('runs on the reference where an engine of the CPU has no operations on integers', async () => {
    const cpu: CpuEngine = {
      name: 'one of real numbers',
      open: async ({ graph }) => {
        throw new UnsupportedOpError(graph.name, 'first', 'integer', 'is not there');
      },
    };
    const bytes = await save(graphs.xnnpack!, {});
    const model = await load(bytes, { cpu });
    expect([model.device, model.precision]).toEqual(['reference', 'int8']);
    await expect(load(bytes, { cpu, device: 'wasm' })).rejects.toThrow(UnsupportedOpError);
  });

  it('is planned as it arrives, with the same constants', async () => {
    const bytes = await save(graphs.xnnpack!, {});
    const planned = async (source: Uint8Array | string) => {
      const gpu = new FakeGpu();
      const model = await load(source, { gpu: gpu.gpu, device: 'webgpu', tuning: 'off' });
      const { plan } = model;
      model.dispose();
      return { plan, weights: gpu.weights };
    };
    const whole = await planned(bytes);
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + 10_000));
        at += 10_000;
      },
    });
    vi.stubGlobal('fetch', async () => new Response(body));
    const arriving = await planned('https://models.test/model.safetensors');
    expect(whole.plan.dispatches.some(({ kernel }) => kernel.startsWith('int8-pointwise'))).toBe(true);
    expect(arriving.plan).toEqual(whole.plan);
    expect(arriving.weights).toEqual(whole.weights);
  });

  type Body = Record<string, unknown> & { to: Record<string, unknown> };
  interface StatedGraph {
    readonly inputs: readonly { readonly name: string }[];
    readonly nodes: readonly { readonly inputs: string[]; readonly body?: Body }[];
  }
  const of = (bodies: readonly Body[], kind: string) => bodies.find((body) => body.kind === kind)!;
  it.each<[string, (bodies: readonly Body[], graph: StatedGraph) => void, RegExp]>([
    ['of another kind', (bodies) => (bodies[0]!.kind = 'constructor'), /node 0 .*kind is "constructor"/],
    ['without weights', (bodies) => delete of(bodies, 'conv2d').weights, /weights is tensor undefined/],
    [
      'with floats as weights',
      (bodies) => (of(bodies, 'conv2d').weights = of(bodies, 'conv2d').to.multipliers),
      /is F32, expected I8/,
    ],
    [
      'with a zero point beyond a byte',
      (bodies) => (of(bodies, 'conv2d').inputZeroPoint = 128),
      /inputZeroPoint is 128/,
    ],
    ['with a range that is none', (bodies) => (of(bodies, 'conv2d').to.range = [0, 200]), /range is \[0,200\]/],
    [
      'with multipliers of another layer',
      (bodies) => (of(bodies, 'conv2d').to.multipliers = of(bodies, 'fully-connected').to.multipliers),
      /multipliers are \d+, expected 1 or \d+/,
    ],
    [
      'with a table cut short',
      (bodies) => (of(bodies, 'lookup').table = of(bodies, 'conv2d').weights),
      /entries of the table are/,
    ],
    ['with a scale of zero', (bodies) => (of(bodies, 'quantise').scale = 0), /scale is 0/],
    [
      'with a shift of nothing',
      (bodies) =>
        ((
          of(
            bodies.filter(({ residual }) => residual),
            'conv2d',
          ).residual as Body
        ).shift = 0),
      /shift is 0/,
    ],
    [
      'with a residual and no sum',
      (bodies) => delete bodies.find(({ residual }) => residual)!.residual,
      /has a residual and no sum/,
    ],
    [
      'with integers taken for real numbers',
      (bodies) => (of(bodies, 'dequantise').kind = 'quantise'),
      /holds integers/,
    ],
    [
      'with an input of the network taken for integers',
      (_, { inputs, nodes }) => {
        nodes.find(({ body }) => body?.kind === 'conv2d')!.inputs[0] = inputs[0]!.name;
      },
      /holds real numbers/,
    ],
    [
      'with a range that ends before it begins',
      (bodies) => (of(bodies, 'conv2d').to.range = [127, -128]),
      /range is \[127,-128\]/,
    ],
    ['with a scale beyond float32', (bodies) => (of(bodies, 'quantise').scale = 1e39), /scale is 1e\+39/],
    ['with a scale whose inverse is', (bodies) => (of(bodies, 'quantise').scale = 1e-42), /scale is 1e-42/],
  ])('%s is refused', async (_, change, message) => {
    const { metadata, tensors } = readSafetensors('a', await save(graphs.xnnpack!, {}));
    const graph = JSON.parse(metadata.graph!);
    change(graph.nodes.map(({ body }: { body?: Body }) => body).filter(Boolean), graph);
    const text = JSON.stringify(graph);
    const stored = [...tensors]
      .filter(([name]) => text.includes(`"${name}"`))
      .map(([name, { dtype, shape, bytes }]) => {
        const copy = bytes.slice().buffer;
        const values =
          dtype === 'I8' ? new Int8Array(copy) : dtype === 'I32' ? new Int32Array(copy) : new Float32Array(copy);
        return [name, shape, values] as const;
      });
    const error = await open(writeSafetensors(stored, { ...metadata, graph: text })).catch((reason) => reason);
    expect(error).toBeInstanceOf(ModelFormatError);
    expect(error.message).toMatch(message);
  });

  it('with a multiplier that is no number is refused by its tensor', async () => {
    const bytes = await save(graphs.xnnpack!, {});
    const [name, { bytes: multipliers }] = [...readSafetensors('a', bytes).tensors].find(
      ([, { dtype }]) => dtype === 'F32',
    )!;
    multipliers.fill(255);
    await expect(open(bytes)).rejects.toThrow(new RegExp(`tensor "${name}" holds NaN at 0`));
  });
});
