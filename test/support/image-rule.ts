import type { ImageRule } from '../../src/graph/graph.ts';

/** The whole picture squashed, pixels to [−1, 1]. */
export const signedPixels: ImageRule = {
  fit: 'stretch',
  cropFraction: 1,
  filter: 'bilinear',
  antialias: true,
  corners: 'half-pixel',
  channels: 'rgb',
  scale: [1 / 127.5],
  offset: [-1],
};

/** Constants of each channel, for the place of those. */
export const perChannel = { scale: [0.017, 0.018, 0.0175], offset: [-2.1, -2, -1.8] };
