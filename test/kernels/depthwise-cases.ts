import { activations, type ConvSpec, channelCounts, convCase } from './conv-cases.ts';

const depthwise = (spec: ConvSpec) => convCase({ kernel: [3, 3], ...spec, groups: spec.cin, cout: spec.cin });
const same = [1, 1, 1, 1] as const;

export const depthwiseCases = [
  ...channelCounts.filter((cin) => cin > 1).map((cin) => depthwise({ size: [9, 7], cin, padding: same })),
  ...([5, 6, 7, 8, 9, 13] as const).flatMap((size) => [
    depthwise({ size: [size, size + 1], cin: 5, padding: same }),
    depthwise({ size: [size, size + 1], cin: 5, padding: same, stride: [2, 2] }),
    depthwise({ size: [size, size], cin: 4, padding: [0, 0, 1, 1], stride: [2, 2] }),
    depthwise({ size: [size, size], cin: 4 }),
  ]),
  depthwise({ size: [1, 1], cin: 8, padding: same }),
  depthwise({ size: [2, 2], cin: 8, padding: same }),
  depthwise({ size: [3, 9], cin: 8, padding: same }),
  depthwise({ size: [9, 3], cin: 8, padding: same }),
  depthwise({ size: [7, 7], cin: 6, kernel: [5, 5], padding: [2, 2, 2, 2] }),
  depthwise({ size: [10, 11], cin: 6, kernel: [5, 5], padding: [1, 1, 2, 2], stride: [2, 2] }),
  depthwise({ size: [9, 9], cin: 6, kernel: [7, 7], padding: [3, 3, 3, 3] }),
  depthwise({ size: [9, 8], cin: 6, kernel: [1, 1] }),
  depthwise({ size: [6, 9], cin: 3, kernel: [1, 1], padding: [0, 1, 2, 3] }),
  depthwise({ size: [8, 9], cin: 6, kernel: [2, 4], padding: [1, 0, 0, 3] }),
  depthwise({ size: [8, 9], cin: 6, kernel: [3, 1], padding: [1, 0, 1, 0] }),
  depthwise({ size: [8, 9], cin: 6, kernel: [1, 3], stride: [1, 2], padding: [0, 2, 0, 1] }),
  depthwise({ size: [8, 9], cin: 6, padding: [2, 0, 0, 2], stride: [1, 2] }),
  depthwise({ size: [6, 6], cin: 6, padding: [4, 5, 6, 4] }),
  depthwise({ size: [5, 5], cin: 4, padding: [0, 0, 6, 6], stride: [2, 2] }),
  depthwise({ size: [11, 12], cin: 6, padding: [2, 2, 2, 2], dilation: [2, 2] }),
  depthwise({ size: [11, 12], cin: 6, padding: [3, 1, 2, 2], dilation: [3, 2], stride: [2, 1] }),
  depthwise({ size: [13, 13], cin: 6, kernel: [3, 3], stride: [3, 3], padding: same }),
  depthwise({ size: [7, 6], cin: 7, padding: same, batch: 3 }),
  depthwise({ size: [7, 6], cin: 7, padding: [0, 0, 1, 1], stride: [2, 2], batch: 3 }),
  depthwise({ size: [28, 28], cin: 144, padding: same, activation: 'relu6' }),
  depthwise({ size: [6, 7], cin: 7, padding: same, residual: true, activation: 'relu6' }),
  depthwise({ size: [6, 7], cin: 7, padding: same, noBias: true }),
  ...activations.map((activation) => depthwise({ size: [6, 5], cin: 6, padding: same, activation })),
  // Wide enough for every strip, rows that do not divide.
  depthwise({ size: [17, 15], cin: 5, padding: same }),
  depthwise({ size: [18, 16], cin: 12, padding: [0, 0, 1, 1], stride: [2, 2], activation: 'relu6' }),
  depthwise({ size: [19, 14], cin: 6, kernel: [5, 5], padding: [2, 2, 2, 2], residual: true }),
  depthwise({ size: [23, 23], cin: 9, kernel: [5, 5], padding: [1, 2, 2, 2], stride: [2, 2], batch: 2 }),
];
