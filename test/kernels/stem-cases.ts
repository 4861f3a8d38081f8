import { activations, type ConvSpec, channelCounts, convCase } from './conv-cases.ts';

const stem = (spec: Partial<ConvSpec>) =>
  convCase({ size: [15, 16], cin: 3, cout: 8, kernel: [3, 3], stride: [2, 2], padding: [1, 1, 1, 1], ...spec });

/** Of a picture's few channels. */
export const stemCases = [
  stem({ size: [33, 35], cout: 32, padding: [0, 0, 1, 1], activation: 'relu6' }),
  ...channelCounts.map((cout) => stem({ cout })),
  ...([1, 2, 3] as const).flatMap((cin) => [stem({ cin }), stem({ cin, size: [16, 29], padding: [0, 0, 1, 1] })]),
  // A tile of pixels that ends at, before and after the last one.
  ...([1, 5, 8, 13, 14, 15, 28] as const).map((width) => stem({ size: [7, width], stride: [1, 1] })),
  stem({ kernel: [7, 7], padding: [3, 3, 3, 3], cout: 16 }),
  stem({ kernel: [5, 2], padding: [2, 0, 1, 1], cin: 2 }),
  stem({ kernel: [1, 1], padding: [0, 0, 0, 0] }),
  stem({ kernel: [2, 3], stride: [1, 3], cin: 1 }),
  stem({ kernel: [4, 4], stride: [4, 4], padding: [0, 0, 0, 0] }),
  stem({ size: [1, 1], padding: [1, 1, 1, 1] }),
  stem({ size: [6, 6], padding: [4, 5, 6, 4] }),
  stem({ batch: 3, cout: 20 }),
  stem({ noBias: true }),
  ...activations.map((activation) => stem({ activation, cin: 1 })),
];
