import { expect, it } from 'vitest';
import type { Shape } from '../../src/graph/ops.ts';
import { pack, unpack } from '../../src/scheduler/tensors.ts';

it.each([1, 2, 3, 4, 5, 7, 8])('packs %i channels in fours, and unpacks them', (channels) => {
  for (const pixels of [1, 3, 4, 5, 9]) {
    const shape: Shape = [1, 1, pixels, channels];
    const pitch = 4 * Math.ceil(channels / 4);
    const placement = { shape, buffer: 0, offset: 0, bytes: 4 * pixels * pitch, precision: 'float32' as const };
    // Somewhere in a larger buffer; a denormal among them keeps its bits.
    const values = new Float32Array(pixels * channels + 5).subarray(5).map((_, i) => i + 1);
    values[0] = 1e-45;
    const staging = new Float32Array(pixels * pitch);
    expect(pack(values, placement, staging)).toBe(true);
    const expected = Array.from({ length: pixels * pitch }, (_, i) => {
      const channel = i % pitch;
      return channel < channels ? values[Math.floor(i / pitch) * channels + channel] : 0;
    });
    expect([...staging], `${pixels} pixels`).toEqual(expected);
    expect([...unpack(staging.buffer, placement)]).toEqual([...values]);
  }
});

it.each([3, 4, 5])('tells one number that is none among %i channels, wherever it is', (channels) => {
  const pixels = 9;
  const placement = {
    shape: [1, 1, pixels, channels] as Shape,
    buffer: 0,
    offset: 0,
    bytes: 0,
    precision: 'float32' as const,
  };
  const staging = new Float32Array(pixels * 4 * Math.ceil(channels / 4));
  for (const wrong of [Number.NaN, Infinity, -Infinity]) {
    for (let at = 0; at < pixels * channels; at++) {
      const values = new Float32Array(pixels * channels).fill(3e38);
      values[at] = wrong;
      expect(pack(values, placement, staging), `${wrong} at ${at}`).toBe(false);
    }
  }
  expect(pack(new Float32Array(pixels * channels).fill(3e38), placement, staging)).toBe(true);
});
