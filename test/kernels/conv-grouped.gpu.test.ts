import { activations, convCase } from './conv-cases.ts';
import { describeKernel } from './describe-kernel.ts';

const same = [1, 1, 1, 1] as const;
const kernel = [3, 3] as const;

describeKernel('conv-grouped', [
  convCase({ size: [7, 6], cin: 6, cout: 9, kernel, groups: 3, padding: same }),
  convCase({ size: [7, 6], cin: 8, cout: 8, kernel, groups: 2, padding: same, stride: [2, 2] }),
  convCase({ size: [7, 6], cin: 10, cout: 5, kernel, groups: 5, padding: same, batch: 3 }),
  // Depthwise with two and three outputs a channel.
  convCase({ size: [7, 6], cin: 3, cout: 6, kernel, groups: 3, padding: same }),
  convCase({ size: [6, 7], cin: 5, cout: 15, kernel, groups: 5, padding: [0, 1, 2, 0] }),
  convCase({ size: [8, 9], cin: 4, cout: 130, kernel: [1, 1], groups: 2 }),
  convCase({ size: [11, 12], cin: 6, cout: 4, kernel, groups: 2, dilation: [2, 3], padding: [2, 3, 2, 3] }),
  // Depthwise, a kernel too large to unroll.
  convCase({ size: [12, 13], cin: 5, kernel: [9, 11], groups: 5, padding: [4, 5, 4, 5] }),
  // Depthwise whose taps lie too far apart to unroll.
  convCase({ size: [50, 50], cin: 4, kernel, groups: 4, dilation: [20, 20], padding: [20, 20, 20, 20] }),
  convCase({ size: [90, 90], cin: 4, kernel, groups: 4, stride: [40, 40] }),
  convCase({ size: [6, 7], cin: 6, cout: 9, kernel, groups: 3, padding: same, residual: true, activation: 'relu6' }),
  convCase({ size: [6, 7], cin: 6, cout: 9, kernel, groups: 3, noBias: true }),
  ...activations.map((activation) => convCase({ size: [4, 5], cin: 6, cout: 4, kernel, groups: 2, activation })),
]);
