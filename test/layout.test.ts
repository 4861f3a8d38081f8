import { expect, it } from 'vitest';
import { type Graph, load } from '../src/index.ts';

it('run takes and gives NCHW where it is told to', async () => {
  const network = await load('v1-0.25-32', { device: 'reference' });
  const [{ shape, layout }] = network.inputs as [(typeof network.inputs)[0]];
  expect([shape, layout, network.outputs[0]!.shape]).toEqual([[1, 32, 32, 3], 'nhwc', [1, 1, 1, 1000]]);
  const nhwc = Float32Array.from({ length: 32 * 32 * 3 }, (_, i) => Math.sin(i));
  const nchw = Float32Array.from({ length: nhwc.length }, (_, i) => nhwc[(i % 1024) * 3 + Math.floor(i / 1024)]!);
  const expected = await network.run(nhwc);
  expect(await network.run(nchw, { layout: 'nchw' })).toEqual(expected);
  expect(await network.run(nchw)).not.toEqual(expected);
  const picture: Graph = {
    name: 'same',
    inputs: [{ name: 'x', shape: [1, 2, 2, 3] }],
    outputs: [{ name: 'y', tensor: 'y' }],
    nodes: [{ op: 'clip', name: 'y', inputs: ['x'], output: 'y', min: -99, max: 99 }],
  };
  const same = await load(picture, { device: 'reference' });
  const values = Float32Array.from({ length: 12 }, (_, i) => i);
  expect((await same.run(values, { layout: 'nchw' })).y).toEqual(values);
  await expect(same.run(values, { layout: 'nhcw' as 'nchw' })).rejects.toThrow(
    'layout is "nhcw", expected nhwc or nchw',
  );
});
