import { activations, channelCounts, convCase } from './conv-cases.ts';

export const pointwiseCases = [
  ...channelCounts.map((cin) => convCase({ size: [5, 7], cin, cout: 8 })),
  ...channelCounts.map((cout) => convCase({ size: [5, 7], cin: 8, cout })),
  convCase({ size: [1, 1], cin: 130, cout: 17 }),
  convCase({ size: [1, 3], cin: 16, cout: 16 }),
  convCase({ size: [7, 7], cin: 96, cout: 33 }),
  convCase({ size: [28, 28], cin: 24, cout: 144, activation: 'relu6' }),
  convCase({ size: [9, 5], cin: 7, cout: 13, batch: 3 }),
  convCase({ size: [6, 6], cin: 5, cout: 5, residual: true }),
  convCase({ size: [6, 5], cin: 20, cout: 24, residual: true, activation: 'relu6', batch: 3 }),
  // As many weights as a uniform of 64 KiB holds.
  convCase({ size: [3, 5], cin: 256, cout: 64 }),
  convCase({ size: [4, 4], cin: 12, cout: 12, noBias: true }),
  convCase({ size: [2, 2], cin: 1280, cout: 40 }),
  ...activations.map((activation) => convCase({ size: [4, 5], cin: 9, cout: 10, activation })),
];

/** Of kernels in halves, whose inputs may be any numbers all the same. */
export const ofAnyRange = [1e4, 1e9, 1e30].flatMap((range) =>
  [
    convCase({ size: [7, 5], cin: 40, cout: 24, activation: 'relu6' }),
    convCase({ size: [7, 5], cin: 36, cout: 20, residual: true }),
  ].map((testCase) => ({ ...testCase, title: `${testCase.title}, inputs to ${range}`, range })),
);
