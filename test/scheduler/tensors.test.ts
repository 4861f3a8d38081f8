import { expect, it } from 'vitest';
import type { Shape } from '../../src/graph/ops.ts';
import { pack, unpack } from '../../src/scheduler/tensors.ts';

it.each([1, 2, 3, 4, 5, 7, 8])('packs %i channels in fours, and unpacks them', (channels) => {
  for (const pixels of [1, 3, 4, 5, 9]) {
    const shape: Shape = [1, 1, pixels, channels];
    const pitch = 4 * Math.ceil(channels / 4);
    const placement = { shape, buffer: 0, offset: 0, bytes: 4 * pixels * pitch, precision: 'float32' as const };
    // Somewhere in a larger buffer; a signalling NaN among them keeps its bits.
    const values = new Float32Array(pixels * channels + 5).subarray(5).map((_, i) => i + 1);
    new Int32Array(values.buffer, values.byteOffset)[0] = 0x7fa00001;
    const staging = new Float32Array(pixels * pitch);
    pack(values, placement, staging);
    const expected = Array.from({ length: pixels * pitch }, (_, i) => {
      const channel = i % pitch;
      return channel < channels ? Math.floor(i / pitch) * channels + channel + 1 : 0;
    });
    expect([...staging.subarray(1)], `${pixels} pixels`).toEqual(expected.slice(1));
    expect(new Int32Array(staging.buffer)[0]).toBe(0x7fa00001);
    expect([...unpack(staging.buffer, placement).subarray(1)]).toEqual([...values.subarray(1)]);
  }
});
