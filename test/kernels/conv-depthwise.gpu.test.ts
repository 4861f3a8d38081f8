import { convDepthwise, depthwiseVariants } from '../../src/kernels/conv-depthwise.ts';
import { depthwiseTiles } from '../../src/kernels/conv-depthwise-tile.ts';
import { convCase } from './conv-cases.ts';
import { depthwiseCases } from './depthwise-cases.ts';
import { describeVariants, inHalvesOf } from './describe-kernel.ts';

describeVariants([convDepthwise, ...depthwiseTiles], depthwiseCases);
describeVariants(inHalvesOf('conv-depthwise').slice(0, 1), depthwiseCases);

// The same shader; what differs is the tile, which is large where outputs are many.
const many = (kernel: number, stride: number) =>
  convCase({
    size: [65, 66],
    cin: 130,
    cout: 130,
    groups: 130,
    kernel: [kernel, kernel],
    stride: [stride, stride],
    padding: [1, 1, 1, 1],
    activation: 'relu6',
  });

describeVariants(
  [...depthwiseVariants, ...inHalvesOf('conv-depthwise').slice(1)],
  [many(3, 1), many(3, 2), many(5, 1), ...depthwiseCases.slice(0, 8)],
);
