import { describe, expect, it } from 'vitest';
import {
  type Device,
  devices,
  formerInvocations,
  idleShare,
  invocationsOf,
  isTiled,
  kernelFor,
  layersOf,
  limitsAskedOf,
  networks,
} from '../../scripts/classes.ts';
import { isPointwise } from '../../src/graph/layers.ts';
import { startingPreferences } from '../../src/tuning/defaults.ts';
import { likelyVendor } from '../../src/tuning/device-class.ts';
import { shippedPreferences } from '../../src/tuning/shipped.ts';

const classOf: Readonly<Record<Device['title'], string>> = {
  NVIDIA: 'nvidia',
  'AMD RDNA 2': 'amd',
  'AMD RDNA 3': 'amd',
  Intel: 'intel',
  'Intel, no features': 'intel',
  Apple: 'apple',
  Adreno: 'qualcomm',
  Mali: 'arm',
  'no vendor, waves of 64': 'amd',
  'no vendor, a phone': 'arm',
  'no vendor, Apple’s formats': 'apple',
  'nothing told': '',
};

const layers = new Map(await Promise.all(networks.map(async (id) => [id, await layersOf(id)] as const)));
const prepared = await Promise.all(
  devices.map(async (device) => ({ ...device, preferences: await startingPreferences(device.adapter) })),
);

const below = (counts: readonly number[], than: number) => counts.filter((count) => count < than).length;

it('there are twelve devices', () => {
  expect(devices.map(({ title }) => title)).toEqual(Object.keys(classOf));
});

describe.each(prepared)('$title', ({ preferences, ...device }) => {
  const { adapter } = device;

  it('is of its class, and keeps its kernels after the first result', async () => {
    expect(likelyVendor(adapter)).toBe(classOf[device.title]);
    expect(await shippedPreferences(adapter)).toEqual(preferences);
  });

  it('is asked for the limits that it offers', async () => {
    const { offered, asked } = await limitsAskedOf(device);
    expect(asked).toEqual(offered);
  });

  it.each(networks)('%s', (id) => {
    const all = layers.get(id)!;
    const work = all.reduce((sum, { macs }) => sum + macs, 0);
    for (const layer of all) {
      const kernel = kernelFor(layer, preferences);
      const where = `${layer.node.name} [${layer.shapes.output}] by ${kernel.name}`;
      expect(kernel.name, where).not.toMatch(/software/);
      for (const feature of kernel.requires ?? []) expect(adapter.features, where).toContain(feature);
      const { overrides, constants } = kernel.program(layer.node, layer.shapes);
      const lanes = (overrides.WORKGROUP_X ?? 1) * (overrides.WORKGROUP_Y ?? 1) * (overrides.WORKGROUP_Z ?? 1);
      const most = device.limits[1];
      expect(Math.max(lanes, (overrides.COLUMNS ?? 0) * (overrides.SLICES ?? 1)), where).toBeLessThanOrEqual(most);
      const sums = Number(constants.TILE_PIXELS) * Number(constants.TILE_CHANNELS);
      const bytes = constants.SLICES ? (16 * 64 * sums) / 4 : 0;
      expect(bytes, where).toBeLessThanOrEqual(device.limits[0]);
      if (isTiled(layer) && layer.macs > work / 100) expect(idleShare(kernel, layer), where).toBeLessThanOrEqual(0.25);
    }
    const tiled = all.filter(isTiled);
    const countsOf = (some: typeof tiled) => some.map((layer) => invocationsOf(kernelFor(layer, preferences), layer));
    expect(below(countsOf(tiled), 8000)).toBeLessThanOrEqual(below(tiled.map(formerInvocations), 8000));
    // No product leaves the device nearly idle.
    const pointwise = countsOf(tiled.filter(({ node }) => isPointwise(node)));
    expect(below(pointwise, 490)).toBe(0);
    if (likelyVendor(adapter) === 'nvidia') expect(below(pointwise, 2000)).toBe(0);
  });
});
