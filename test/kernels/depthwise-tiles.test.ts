import { expect, it } from 'vitest';
import { inferShapes } from '../../src/graph/shapes.ts';
import { convDepthwise, depthwiseVariants } from '../../src/kernels/conv-depthwise.ts';
import { convCase } from './conv-cases.ts';
import { graphOf } from './run-case.ts';

const kernelOf = (registers: number) =>
  registers === 16 ? convDepthwise : depthwiseVariants.find(({ name }) => name === `conv-depthwise/r${registers}`)!;

function programOf(registers: number, size: number, cin: number, kernel = 3, stride = 1) {
  const side = (kernel - 1) / 2;
  const graph = graphOf(
    convCase({
      size: [size, size],
      cin,
      cout: cin,
      groups: cin,
      kernel: [kernel, kernel],
      stride: [stride, stride],
      padding: [side, side, side, side],
    }),
    1,
  );
  const shapes = inferShapes(graph);
  return kernelOf(registers).program(graph.nodes[0]!, {
    inputs: [shapes.get('x0')!],
    output: shapes.get('y')!,
  });
}

const tileOf = (...layer: Parameters<typeof programOf>) => {
  const { TILE_Y, TILE_X } = programOf(...layer).constants;
  return `${TILE_Y}x${TILE_X}`;
};

it.each([
  // 112² of 32 channels are 6,272 tiles of 4 × 4, 28² of 192 2,352, or 4,704 of 2 × 4; large windows and strides leave room for fewer sums.
  [16, 112, 32, 3, 1, '1x4'],
  [32, 112, 32, 3, 1, '2x4'],
  [64, 112, 32, 3, 1, '4x4'],
  [64, 28, 192, 3, 1, '2x4'],
  [16, 112, 96, 3, 2, '1x2'],
  [64, 112, 96, 3, 2, '2x4'],
  // 7² of 960 channels have 1,680 tiles of 2 × 4, 2,880 of 1 × 4 and 6,720 of 1 × 2.
  [16, 7, 960, 3, 1, '1x2'],
  [32, 7, 960, 3, 1, '1x4'],
  [64, 7, 960, 3, 1, '1x4'],
  // Smaller than every tile.
  [64, 1, 8, 3, 1, '1x1'],
  [64, 2, 8, 3, 1, '1x2'],
] as const)('%i vec4 a lane, %i² of %i channels, window of %i, stride %i: a tile of %s', (...layer) => {
  const [registers, size, cin, kernel, stride, expected] = layer;
  expect(tileOf(registers, size, cin, kernel, stride)).toBe(expected);
});

it('lanes run along the channels and tiles of a row: fewer than a workgroup of a row idle', () => {
  const { workgroups, overrides } = programOf(16, 14, 96);
  expect(overrides.WORKGROUP_X).toBe(64);
  // 24 vec4 × 7 pairs, or 24 × 4 rows of four: 14 rows.
  expect([
    [3, 14, 1],
    [2, 14, 1],
  ]).toContainEqual(workgroups);
});
