/** Devices of every class and the kernels that each starts with: docs/classes.md, and what a test holds them to. */
import { adapterOf } from '../bench/isa/gpus.ts';
import { buildArchitecture } from '../src/architectures/index.ts';
import { type AdapterDescription, openGpu } from '../src/device/gpu.ts';
import { isPointwise } from '../src/graph/layers.ts';
import type { Conv2d, Node } from '../src/graph/ops.ts';
import { inferShapes, sizeOf } from '../src/graph/shapes.ts';
import { allKernels } from '../src/kernels/index.ts';
import { ceilDiv, type Kernel, type NodeShapes } from '../src/kernels/kernel.ts';
import { prepareFor } from '../src/planner/prepare.ts';
import { type KernelPreferences, selectKernel, shapesOf } from '../src/planner/select.ts';
import { inputsOfOneReader } from '../src/planner/storage.ts';
import { startingPreferences } from '../src/tuning/defaults.ts';
import { likelyVendor } from '../src/tuning/device-class.ts';

/** What a browser tells of a device. */
export interface Device {
  readonly title: string;
  readonly adapter: AdapterDescription;
  /** Of a workgroup: bytes, invocations. */
  readonly limits: readonly [bytes: number, invocations: number];
}

const all = ['subgroups', 'shader-f16', 'timestamp-query'];
const large = [65536, 1024] as const;
const usual = [16384, 256] as const;
const compatibility = [16384, 128] as const;

const device = (title: string, told: Partial<AdapterDescription>, limits: Device['limits'] = large): Device => ({
  title,
  limits,
  adapter: adapterOf({ ...told, workgroupBytes: limits[0] }),
});

export const devices: readonly Device[] = [
  device('NVIDIA', { vendor: 'nvidia', architecture: 'ampere', subgroups: [32, 32], features: all }),
  device('AMD RDNA 2', { vendor: 'amd', architecture: 'rdna-2', subgroups: [32, 64], features: all }),
  device('AMD RDNA 3', { vendor: 'amd', architecture: 'rdna-3', subgroups: [32, 64], features: all }),
  device('Intel', { vendor: 'intel', architecture: 'gen-12lp', subgroups: [8, 32], features: all }),
  device('Intel, no features', { vendor: 'intel', architecture: 'gen-9' }, usual),
  device('Apple', { vendor: 'apple', architecture: 'metal-3', subgroups: [4, 64], features: all }),
  device('Adreno', { vendor: 'qualcomm', architecture: 'adreno-7xx', subgroups: [64, 128] }),
  device('Mali', { vendor: 'arm', architecture: 'valhall', subgroups: [16, 16], features: all }),
  device('no vendor, waves of 64', { subgroups: [32, 64], features: all }),
  device('no vendor, a phone', { features: ['texture-compression-astc'] }, compatibility),
  device(
    'no vendor, Apple’s formats',
    { features: ['texture-compression-astc', 'texture-compression-bc'] },
    [32768, 1024],
  ),
  device('nothing told', {}, usual),
];

export const networks = ['v1-1.0-224', 'v2-1.0-224', 'v3-large-1.0-224', 'v3-small-1.0-224', 'v4-conv-small-224'];

export interface Layer {
  readonly node: Node;
  readonly shapes: NodeShapes;
  /** Multiply-adds. */
  readonly macs: number;
}

export async function layersOf(id: string): Promise<Layer[]> {
  const graph = await prepareFor(buildArchitecture(id), 'unfused');
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

/** Convolutions of more than one pixel: those whose tiles depend on the device. */
export const isTiled = ({ node, shapes }: Layer): boolean => node.op === 'conv2d' && shapes.output[1] > 1;

const kernels = await allKernels();

export const kernelFor = ({ node, shapes }: Layer, preferences: KernelPreferences): Kernel =>
  selectKernel(kernels, node, shapes, preferences);

/** Share of the products that lanes make beyond the outputs: of the last tile of pixels and of channels, and of a workgroup along one axis. */
export function idleShare(kernel: Kernel, { node, shapes }: Layer): number {
  const { constants, overrides } = kernel.program(node, shapes);
  const workgroup = overrides.WORKGROUP_X ?? 1;
  const [pixels, channels, y, x] = [
    constants.TILE_PIXELS,
    constants.TILE_CHANNELS,
    constants.TILE_Y,
    constants.TILE_X,
  ].map(Number) as [number, number, number, number];
  const [images, height, width, outputs] = shapes.output;
  if (y) return 1 - (height * width) / (ceilDiv(height, y) * y * ceilDiv(width, x) * x);
  const line = isPointwise(node) ? images * height * width : width;
  let [tiles, groups] = [ceilDiv(line, pixels), ceilDiv(outputs, channels)];
  if (isPointwise(node) && constants.LANES === 0) tiles = workgroup * ceilDiv(tiles, workgroup);
  if (isPointwise(node) && constants.LANES === 2) groups = workgroup * ceilDiv(groups, workgroup);
  return 1 - (line * outputs) / (tiles * pixels * groups * channels);
}

/** Invocations that have outputs. */
export function invocationsOf(kernel: Kernel, { node, shapes }: Layer): number {
  const { TILE_PIXELS, TILE_CHANNELS, TILE_Y, TILE_X } = kernel.program(node, shapes).constants;
  if (kernel.invocations) return kernel.invocations(node, shapes);
  const [images, height, width, outputs] = shapes.output;
  const [y, x, channels] = TILE_Y ? [TILE_Y, TILE_X, 4] : [1, TILE_PIXELS, TILE_CHANNELS];
  return images * ceilDiv(height, Number(y)) * ceilDiv(width, Number(x)) * ceilDiv(outputs, Number(channels));
}

/** With the defaults of every device before there were classes: 4 pixels × 16 channels, depthwise 4 × 4 or 2 × 4 outputs. */
export function formerInvocations({ node, shapes: { output } }: Layer): number {
  const [images, height, width, outputs] = output;
  const { groups, stride } = node as Conv2d;
  if (isPointwise(node)) return ceilDiv(images * height * width, 4) * ceilDiv(outputs, 16);
  if (groups === 1) return images * height * ceilDiv(width, 4) * ceilDiv(outputs, 16);
  return images * ceilDiv(height, stride[0] === 1 ? 4 : 2) * ceilDiv(width, 4) * ceilDiv(outputs, 4);
}

/** What is asked of a device: its limits. */
export async function limitsAskedOf({ adapter, limits: [bytes, invocations] }: Device) {
  let asked: GPUDeviceDescriptor['requiredLimits'];
  const limits = {
    maxBufferSize: 2 ** 32,
    maxStorageBufferBindingSize: 2 ** 31,
    maxComputeWorkgroupStorageSize: bytes,
    maxComputeInvocationsPerWorkgroup: invocations,
  };
  const requestDevice = async ({ requiredLimits }: GPUDeviceDescriptor) => {
    asked = requiredLimits;
    throw new Error('there is none');
  };
  const requestAdapter = async () => ({ info: adapter, features: new Set(adapter.features), limits, requestDevice });
  await openGpu({ gpu: { requestAdapter } as never }).catch(() => {});
  return { offered: limits, asked };
}

/** A kernel and its tile, as tables have it. */
function nameOf(kernel: Kernel, { node, shapes }: Layer): string {
  const { TILE_Y, TILE_X, TILE_PIXELS, TILE_CHANNELS } = kernel.program(node, shapes).constants;
  const name = kernel.name.replace(/^conv-/, '').replace('-buffer', '');
  if (TILE_Y) return `${name.split('/')[0]} ${TILE_Y}x${TILE_X}`;
  return name.includes('/') || !/^(stem|direct|pointwise)$/.test(name)
    ? name
    : `${name}/p${TILE_PIXELS}-c${TILE_CHANNELS}-line`;
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** A row of the table of a network. */
export function rowOf(layers: readonly Layer[], preferences: KernelPreferences) {
  const work = layers.reduce((sum, { macs }) => sum + macs, 0);
  const names = new Map<string, number>();
  const few = { before: 0, after: 0 };
  let idle = 0;
  for (const layer of layers.filter(({ node }) => /conv2d|fully/.test(node.op))) {
    const kernel = kernelFor(layer, preferences);
    const name = nameOf(kernel, layer);
    names.set(name, (names.get(name) ?? 0) + 1);
    if (!isTiled(layer)) continue;
    if (layer.macs > work / 100) idle = Math.max(idle, idleShare(kernel, layer));
    if (formerInvocations(layer) < 8000) few.before++;
    if (invocationsOf(kernel, layer) < 8000) few.after++;
  }
  return { names, few, idle };
}

type Table = (head: readonly string[], rows: readonly (readonly string[])[]) => string;

/** docs/classes.md, from its title on. */
export async function classes(table: Table): Promise<string> {
  const preferences = await Promise.all(devices.map(({ adapter }) => startingPreferences(adapter)));
  const about = await Promise.all(
    devices.map(async (each) => {
      const { vendor, architecture, subgroups, features } = each.adapter;
      const { asked = {} } = await limitsAskedOf(each);
      const told = [vendor, architecture, subgroups && `waves of ${subgroups.join(' to ')}`, ...features];
      const kept = ['maxComputeWorkgroupStorageSize', 'maxComputeInvocationsPerWorkgroup'] as const;
      return [
        each.title,
        told.filter(Boolean).join(', ') || 'nothing',
        likelyVendor(each.adapter) || 'unknown',
        kept.map((name) => asked[name]!.toLocaleString('en')).join(' bytes, '),
      ];
    }),
  );
  const sections = await Promise.all(
    networks.map(async (id) => {
      const layers = await layersOf(id);
      const rows = devices.map(({ title }, i) => {
        const { names, few, idle } = rowOf(layers, preferences[i]!);
        const kernels = [...names].sort().map(([name, count]) => `${count} × ${name}`);
        return [title, kernels.join(', '), percent(idle), `${few.before} → ${few.after}`];
      });
      return `## ${id}\n\n${table(['device', 'kernels', 'idle at most', 'below 8,000 invocations'], rows)}`;
    }),
  );
  return [
    'Twelve devices as a browser may tell of them, simulated: their class (`src/tuning/device-class.ts`), and the largest workgroups that are asked of them, all that they offer.',
    '',
    table(['device', 'told', 'class', 'workgroup: bytes, invocations'], about),
    '',
    'The kernels of a network with which each starts, before anything was measured on it: how many layers which one runs (pixels × channels of an invocation, depthwise rows × columns); the largest share of lanes that idle by the remainder of a tile or, where lanes are of one axis, of a workgroup, in layers above 1 % of the multiply-adds; and how many convolutions of more than one pixel have fewer than 8,000 invocations, before there were classes (4 × 16; depthwise 4 × 4 and at stride 2 2 × 4) and now. Some must: 960 → 160 channels at 7² are 7,840 outputs.',
    '',
    sections.join('\n\n'),
    '',
  ].join('\n');
}
