import type { ImageRule } from './graph.ts';

/** The whole picture, stretched to the input, antialiased, pixels 0 … 255 as they are: what other rules differ from. */
export const plainImage: ImageRule = {
  fit: 'stretch',
  cropFraction: 1,
  filter: 'bilinear',
  antialias: true,
  corners: 'half-pixel',
  channels: 'rgb',
  scale: [1],
  offset: [0],
};

/** The colours of an input of one or three channels. */
export const coloursOf = (channels: number): ImageRule['channels'] => (channels === 1 ? 'grey' : 'rgb');
