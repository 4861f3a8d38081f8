import { describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { type AdapterDescription, openGpu } from '../../src/device/gpu.ts';
import type { Conv2d, Node } from '../../src/graph/ops.ts';
import { inferShapes, sizeOf } from '../../src/graph/shapes.ts';
import { allKernels } from '../../src/kernels/index.ts';
import { ceilDiv, type Kernel, type NodeShapes } from '../../src/kernels/kernel.ts';
import { prepareFor } from '../../src/planner/prepare.ts';
import { type noPreferences, selectKernel, shapesOf } from '../../src/planner/select.ts';
import { inputsOfOneReader } from '../../src/planner/storage.ts';
import { startingPreferences } from '../../src/tuning/defaults.ts';
import { likelyVendor } from '../../src/tuning/device-class.ts';
import { shippedPreferences } from '../../src/tuning/shipped.ts';
import { FakeGpu } from '../support/fake-gpu.ts';

const all = ['subgroups', 'shader-f16', 'timestamp-query'];

interface Fake {
  readonly title: string;
  readonly expected: string;
  readonly vendor?: string;
  readonly architecture?: string;
  readonly subgroups?: readonly [number, number];
  readonly features?: readonly string[];
  /** Of a workgroup: bytes, invocations. */
  readonly limits?: readonly [number, number];
}

const large = [65536, 1024] as const;
const usual = [16384, 256] as const;
const compatibility = [16384, 128] as const;

const fakes: readonly Fake[] = [
  { title: 'NVIDIA', expected: 'nvidia', vendor: 'nvidia', architecture: 'ampere', subgroups: [32, 32], features: all },
  { title: 'AMD RDNA 2', expected: 'amd', vendor: 'amd', architecture: 'rdna-2', subgroups: [32, 64], features: all },
  { title: 'AMD RDNA 3', expected: 'amd', vendor: 'amd', architecture: 'rdna-3', subgroups: [32, 64], features: all },
  { title: 'Intel', expected: 'intel', vendor: 'intel', architecture: 'gen-12lp', subgroups: [8, 32], features: all },
  { title: 'Intel, no features', expected: 'intel', vendor: 'intel', architecture: 'gen-9', limits: usual },
  { title: 'Apple', expected: 'apple', vendor: 'apple', architecture: 'metal-3', subgroups: [4, 64], features: all },
  { title: 'Adreno', expected: 'qualcomm', vendor: 'qualcomm', architecture: 'adreno-7xx', subgroups: [64, 128] },
  { title: 'Mali', expected: 'arm', vendor: 'arm', architecture: 'valhall', subgroups: [16, 16], features: all },
  { title: 'no vendor, waves of 64', expected: 'amd', subgroups: [32, 64], features: all },
  { title: 'no vendor, a phone', expected: 'arm', features: ['texture-compression-astc'], limits: compatibility },
  {
    title: 'no vendor, Apple’s formats',
    expected: 'apple',
    features: ['texture-compression-astc', 'texture-compression-bc'],
    limits: [32768, 1024],
  },
  { title: 'nothing told', expected: '', limits: usual },
];

const adapterOf = ({ vendor = '', architecture = '', subgroups, features = [], limits = large }: Fake) =>
  ({
    vendor,
    architecture,
    description: '',
    software: false,
    features,
    workgroupBytes: limits[0],
    ...(subgroups ? { subgroups } : {}),
  }) satisfies AdapterDescription;

const networks = ['v1-1.0-224', 'v2-1.0-224', 'v3-large-1.0-224', 'v3-small-1.0-224', 'v4-conv-small-224'];
const graphs = await Promise.all(networks.map((id) => prepareFor(buildArchitecture(id), 'unfused')));
const kernels = await allKernels();

interface Layer {
  readonly node: Node;
  readonly shapes: NodeShapes;
  readonly macs: number;
}

function layersOf(graph: (typeof graphs)[number]): Layer[] {
  const shapes = inferShapes(graph);
  const dense = inputsOfOneReader(graph);
  return graph.nodes.map((node) => {
    const nodeShapes = { ...shapesOf(node, shapes), dense: dense.has(node.inputs[0]!) };
    return { node, shapes: nodeShapes, macs: macsOf(node, nodeShapes) };
  });
}

function macsOf(node: Node, { inputs: [input], output }: NodeShapes): number {
  if (node.op === 'fully-connected') return node.weights.length;
  if (node.op !== 'conv2d') return 0;
  return ((node.kernel[0] * node.kernel[1] * input![3]) / node.groups) * sizeOf(output);
}

/** Places of a convolution's tiles, and how many channels each has, over its outputs. */
function idleShare(kernel: Kernel, { node, shapes }: Layer): number {
  const { TILE_PIXELS: pixels, TILE_CHANNELS: channels, TILE_Y, TILE_X } = kernel.program(node, shapes).constants;
  const [images, height, width, outputs] = shapes.output;
  if (TILE_Y) {
    const [y, x] = [Number(TILE_Y), Number(TILE_X)];
    return 1 - (height * width) / (ceilDiv(height, y) * y * ceilDiv(width, x) * x);
  }
  if (!pixels) return 0;
  const line = kernel.name.startsWith('conv-pointwise') ? [images * height * width] : [width];
  const covered = line.map((length) => ceilDiv(length, Number(pixels)) * Number(pixels));
  const group = Number(channels);
  return 1 - (line[0]! * outputs) / (covered[0]! * ceilDiv(outputs, group) * group);
}

/** As with the default of former versions: 4 pixels × 16 channels a lane, whatever the device. */
const formerInvocations = ({ shapes: { output } }: Layer): number =>
  ceilDiv(output[1] * output[2], 4) * ceilDiv(output[3], 16);

const isPointwise = ({ node, shapes }: Layer): boolean =>
  node.op === 'conv2d' && (node as Conv2d).groups === 1 && node.kernel[0] === 1 && shapes.output[1] > 1;

const prepared = await Promise.all(
  fakes.map(async (fake) => {
    const adapter = adapterOf(fake);
    return { ...fake, adapter, preferences: await startingPreferences(adapter) };
  }),
);

describe.each(prepared)('$title', ({ adapter, preferences, ...fake }) => {
  const choose = ({ node, shapes }: Layer) => selectKernel(kernels, node, shapes, preferences);

  it('is of its class, and keeps its kernels after the first result', async () => {
    expect(likelyVendor(adapter)).toBe(fake.expected);
    expect(await shippedPreferences(adapter)).toEqual(preferences);
  });

  it.each(networks.map((id, i) => [id, graphs[i]!] as const))('%s', (_, graph) => {
    const layers = layersOf(graph);
    const work = layers.reduce((sum, { macs }) => sum + macs, 0);
    for (const layer of layers) {
      const kernel = choose(layer);
      const where = `${layer.node.name} [${layer.shapes.output}] by ${kernel.name}`;
      expect(kernel.name, where).not.toMatch(/software/);
      const { overrides, constants } = kernel.program(layer.node, layer.shapes);
      const lanes = (overrides.WORKGROUP_X ?? 1) * (overrides.WORKGROUP_Y ?? 1) * (overrides.WORKGROUP_Z ?? 1);
      expect(Math.max(lanes, (overrides.COLUMNS ?? 0) * (overrides.SLICES ?? 1)), where).toBeLessThanOrEqual(128);
      const bytes = constants.SLICES
        ? (16 * 64 * (Number(constants.TILE_PIXELS) * Number(constants.TILE_CHANNELS))) / 4
        : 0;
      expect(bytes, where).toBeLessThanOrEqual(16384);
      if (layer.macs > work / 100) expect(idleShare(kernel, layer), where).toBeLessThanOrEqual(0.25);
    }
    const pointwise = layers.filter(isPointwise);
    const few = (counts: readonly number[], than: number) => counts.filter((count) => count < than).length;
    const after = pointwise.map((layer) => choose(layer).invocations!(layer.node, layer.shapes));
    const before = pointwise.map(formerInvocations);
    expect(few(after, 8000)).toBeLessThanOrEqual(few(before, 8000));
    // None but those of few outputs leaves the device nearly idle.
    expect(few(after, 490)).toBe(0);
    if (fake.expected === 'nvidia') expect(few(after, 2000)).toBe(0);
  });
});

it('how many pointwise dispatches have fewer than 8,000, and than 1,000, invocations, before and after', () => {
  const count = (counts: readonly number[]) =>
    [8000, 1000].map((than) => counts.filter((n) => n < than).length).join(' ');
  const rows = networks.map((id, i) => {
    const layers = layersOf(graphs[i]!).filter(isPointwise);
    const of = (preferences: typeof noPreferences) =>
      count(
        layers.map(({ node, shapes }) => selectKernel(kernels, node, shapes, preferences).invocations!(node, shapes)),
      );
    const chosen = prepared.slice(0, 8).map(({ preferences }) => of(preferences));
    return `${id}: ${count(layers.map(formerInvocations))} → ${chosen.join(', ')}`;
  });
  expect(rows).toMatchInlineSnapshot(`
    [
      "v1-1.0-224: 12 2 → 8 0, 8 0, 10 0, 8 0, 8 0, 12 0, 12 0, 8 0",
      "v2-1.0-224: 33 17 → 20 0, 27 3, 31 3, 27 0, 27 0, 33 0, 33 0, 27 0",
      "v3-large-1.0-224: 29 18 → 18 0, 23 3, 29 3, 23 0, 23 0, 29 0, 29 0, 23 0",
      "v3-small-1.0-224: 22 19 → 16 0, 21 6, 22 6, 21 6, 21 6, 22 9, 22 9, 21 0",
      "v4-conv-small-224: 27 23 → 15 0, 26 6, 27 6, 26 6, 26 6, 27 6, 27 6, 26 0",
    ]
  `);
});

it('asks an adapter for no more than kernels use', async () => {
  const fake = new FakeGpu();
  const adapter = (await fake.gpu.requestAdapter())!;
  let asked: GPUDeviceDescriptor | undefined;
  const requestDevice = (descriptor?: GPUDeviceDescriptor) => {
    asked = descriptor;
    return adapter.requestDevice(descriptor);
  };
  await openGpu({ gpu: { requestAdapter: async () => ({ ...adapter, requestDevice }) } as never });
  expect(asked!.requiredLimits).toEqual({ maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 });
});
