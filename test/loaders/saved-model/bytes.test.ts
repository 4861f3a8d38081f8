/** Saved models with weights as bytes: the same graph again, whole or as it arrives, and damaged ones refused. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { buildArchitecture } from '../../../src/architectures/index.ts';
import type { CpuEngine, CpuNetwork } from '../../../src/cpu/engine.ts';
import { DeviceError, ModelFormatError, UsageError } from '../../../src/errors.ts';
import { hasByteWeights } from '../../../src/graph/layers.ts';
import { seededInputs } from '../../../src/graph/random-inputs.ts';
import { loadGraph } from '../../../src/loaders/index.ts';
import { readSafetensors, writeSafetensors } from '../../../src/loaders/safetensors/container.ts';
import { withByteWeights } from '../../../src/passes/byte-weights.ts';
import { prepare } from '../../../src/passes/index.ts';
import { saveModel as save } from '../../../src/save-model.ts';
import { writeTflite } from '../../../src/writers/tflite.ts';
import { FakeGpu } from '../../support/fake-gpu.ts';
import { load } from '../../support/unchecked-load.ts';

const source = () => buildArchitecture('v3-small-1.0-32', { classes: 5 });
const open = (bytes: Uint8Array) => loadGraph({ name: 'model.safetensors', bytes });

afterEach(() => vi.unstubAllGlobals());

describe('a saved model with weights as bytes', () => {
  it('is the graph with these weights, in little more than a quarter of the bytes', async () => {
    const bytes = await save(source(), { weights: 'int8' });
    const again = await open(bytes);
    expect(again).toEqual(withByteWeights(source()));
    expect(bytes.length).toBeLessThan(0.3 * (await save(source(), {})).length);
    expect(await save(again, {}), 'saved once more').toEqual(bytes);
  });

  it('is of a version of its own; without bytes of the first, which older engines open', async () => {
    const versionOf = async (weights: 'int8' | 'float16' | 'float32') =>
      readSafetensors('a', await save(source(), { weights })).metadata.version;
    expect(await Promise.all((['float32', 'float16', 'int8'] as const).map(versionOf))).toEqual(['1', '1', '2']);
  });

  it('runs as its graph does, and so does load with weights "int8"', async () => {
    const bytes = await save(source(), { weights: 'int8' });
    const inputs = seededInputs(source());
    const outputs = [];
    for (const [from, weights] of [[bytes, 'auto'] as const, [source(), 'int8'] as const]) {
      const model = await load(from, { device: 'reference', weights });
      outputs.push(await model.run(inputs));
    }
    expect(outputs[0]).toEqual(outputs[1]);
  });

  it('is what an engine of the CPU is handed, and not the file that it was read from', async () => {
    const handed: CpuNetwork[] = [];
    const cpu: CpuEngine = {
      name: 'one that opens nothing',
      open: async (network) => {
        handed.push(network);
        throw new DeviceError('none');
      },
    };
    const bytes = writeTflite(prepare(source()));
    for (const weights of ['auto', 'int8'] as const) {
      await expect(load(bytes, { device: 'wasm', cpu, weights })).rejects.toThrow('none');
    }
    expect(handed.map(({ file }) => file === null)).toEqual([false, true]);
    expect(handed.map(({ graph }) => graph.nodes.some(hasByteWeights))).toEqual([false, true]);
  });

  it('is planned on kernels for bytes, as it arrives too, with the same constants', async () => {
    const bytes = await save(source(), { weights: 'int8' });
    const planned = async (serve: (file: Uint8Array) => Promise<unknown>) => {
      const gpu = new FakeGpu();
      const model = await load((await serve(bytes)) as never, { gpu: gpu.gpu, device: 'webgpu', tuning: 'off' });
      const { plan } = model;
      await expect(model.validate(undefined, { plan: 'fused' })).rejects.toThrow(UsageError);
      model.dispose();
      return { plan, weights: gpu.weights };
    };
    const whole = await planned(async (file) => file);
    const arriving = await planned(async (file) => {
      const pieces = function* () {
        for (let at = 0; at < file.length; at += 10_000) yield file.slice(at, at + 10_000);
      };
      const all = pieces();
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          const { value } = all.next();
          if (value) controller.enqueue(value);
          else controller.close();
        },
      });
      vi.stubGlobal('fetch', async () => new Response(body));
      return 'https://models.test/model.safetensors';
    });
    const kernels = whole.plan.dispatches.map(({ kernel }) => kernel.split('/')[0]);
    expect(kernels.filter((kernel) => kernel === 'byte').length).toBeGreaterThan(20);
    expect(arriving.plan).toEqual(whole.plan);
    expect(arriving.weights).toEqual(whole.weights);
  });

  it.each<[string, (node: Record<string, unknown>, next: Record<string, unknown>) => void, RegExp]>([
    ['without scales', (node) => delete node.scales, /scales is tensor undefined/],
    [
      'with floats in their place',
      (node) => (node.weights = '0.bias'),
      /"0.bias", "0.scales" are F32, F32, expected I8/,
    ],
    ['with bytes as scales', (node) => (node.scales = '0.weights'), /are I8, I8, expected I8 and F32/],
    [
      'with scales of another layer',
      (node, next) => (node.scales = next.scales),
      /holds \d+ scales, expected one for each of \d+ outputs/,
    ],
    [
      'with those of another layer',
      (node, next) => Object.assign(next, { weights: node.weights, scales: node.scales }),
      /are another node's too|scales, expected one for each/,
    ],
    ['with another word', (node) => (node.weightsAs = 'int4'), /weightsAs is "int4"/],
  ])('%s is refused', async (_, change, message) => {
    const { metadata, tensors } = readSafetensors('a', await save(source(), { weights: 'int8' }));
    const graph = JSON.parse(metadata.graph!);
    const [node, next] = graph.nodes.filter(({ weightsAs }: { weightsAs?: string }) => weightsAs);
    change(node, next);
    const stored = [...tensors].map(([name, { dtype, shape, bytes }]) => {
      const copy = bytes.slice().buffer;
      return [name, shape, dtype === 'I8' ? new Int8Array(copy) : new Float32Array(copy)] as const;
    });
    const damaged = writeSafetensors(stored, { ...metadata, graph: JSON.stringify(graph) });
    const error = await open(damaged).catch((reason) => reason);
    expect(error).toBeInstanceOf(ModelFormatError);
    expect(error.message).toMatch(message);
  });

  it('with a scale that is no number is refused by its tensor', async () => {
    const bytes = await save(source(), { weights: 'int8' });
    const scales = readSafetensors('a', bytes).tensors.get('0.scales')!.bytes;
    scales.fill(255);
    await expect(open(bytes)).rejects.toThrow(/node 0 .*tensor "0.weights" has the scale NaN of output 0/);
  });
});
