import beginSums from '../../shaders/fragments/begin-sums.wgsl?raw';
import binary from '../../shaders/fragments/binary.wgsl?raw';
import convolution from '../../shaders/fragments/convolution.wgsl?raw';
import convolutionTile from '../../shaders/fragments/convolution-tile.wgsl?raw';
import dotTile from '../../shaders/fragments/dot-tile.wgsl?raw';
import elementwise from '../../shaders/fragments/elementwise.wgsl?raw';
import epilogue from '../../shaders/fragments/epilogue.wgsl?raw';
import finishSums from '../../shaders/fragments/finish-sums.wgsl?raw';
import placeOfGroup from '../../shaders/fragments/place-of-group.wgsl?raw';
import rowTile from '../../shaders/fragments/row-tile.wgsl?raw';
import weights from '../../shaders/fragments/weights.wgsl?raw';
import type { Fragments } from './preprocess.ts';

/** What the shaders of most networks share; others bring their own (`Program.fragments`). */
export const coreFragments: Fragments = {
  'begin-sums': beginSums,
  convolution,
  'convolution-tile': convolutionTile,
  'dot-tile': dotTile,
  elementwise,
  binary,
  epilogue,
  'finish-sums': finishSums,
  'place-of-group': placeOfGroup,
  'row-tile': rowTile,
  weights,
};
