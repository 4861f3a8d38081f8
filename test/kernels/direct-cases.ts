import { activations, type ConvSpec, channelCounts, convCase } from './conv-cases.ts';

const normal = (spec: ConvSpec) => convCase({ kernel: [3, 3], ...spec });
const same = [1, 1, 1, 1] as const;

/** Normal convolutions of any kernel, stride, dilation and padding. */
export const directCases = [
  // The lesson: 6×6×3 → 4×4×5, then 6 → 8 channels.
  normal({ size: [6, 6], cin: 3, cout: 5 }),
  normal({ size: [6, 6], cin: 6, cout: 8 }),
  ...channelCounts.map((cin) => normal({ size: [5, 6], cin, cout: 6, padding: same })),
  ...channelCounts.map((cout) => normal({ size: [5, 6], cin: 3, cout, padding: same })),
  ...([5, 6, 7, 8] as const).flatMap((size) => [
    normal({ size: [size, size + 1], cin: 3, cout: 8, padding: same, stride: [2, 2] }),
    normal({ size: [size, size], cin: 3, cout: 8, padding: [0, 0, 1, 1], stride: [2, 2] }),
  ]),
  normal({ size: [1, 1], cin: 3, cout: 4, padding: same }),
  normal({ size: [9, 8], cin: 5, cout: 6, kernel: [5, 2], padding: [2, 0, 1, 1] }),
  normal({ size: [14, 14], cin: 3, cout: 16, kernel: [7, 7], padding: [3, 3, 3, 3], stride: [2, 2] }),
  normal({ size: [9, 9], cin: 4, cout: 4, kernel: [1, 1], stride: [2, 2] }),
  normal({ size: [9, 9], cin: 4, cout: 4, kernel: [1, 1], padding: [1, 0, 0, 2] }),
  normal({ size: [11, 12], cin: 4, cout: 9, dilation: [2, 3], padding: [2, 3, 2, 3] }),
  normal({ size: [6, 6], cin: 3, cout: 4, padding: [4, 5, 6, 4] }),
  normal({ size: [7, 6], cin: 3, cout: 12, padding: same, batch: 3 }),
  normal({ size: [33, 35], cin: 3, cout: 32, padding: [0, 0, 1, 1], stride: [2, 2], activation: 'relu6' }),
  normal({ size: [6, 7], cin: 7, cout: 9, padding: same, residual: true, activation: 'relu' }),
  normal({ size: [6, 7], cin: 7, cout: 9, noBias: true }),
  ...activations.map((activation) => normal({ size: [4, 5], cin: 5, cout: 6, activation })),
];
