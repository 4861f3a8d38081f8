import type { Decoding } from './decoding.ts';
import type { Node, Shape } from './ops.ts';
import type { GraphQuantisation } from './quantisation.ts';

/** An input of the graph, fed by the caller. */
export interface GraphInput {
  readonly name: string;
  readonly shape: Shape;
}

/** `sigmoids`: scores from 0 to 1 that do not depend on one another; `features`: no scores of classes. */
export type OutputMeaning = 'logits' | 'probabilities' | 'sigmoids' | 'features';

/** An output of the graph: a tensor under the name that the file gives it. */
export interface GraphOutput {
  readonly name: string;
  readonly tensor: string;
  /** What its values are, found when a model is made of the graph. */
  readonly meaning?: OutputMeaning;
}

/**
 * How a picture becomes the input tensor: a property of the checkpoint, never guessed.
 * value = pixel (0…255) · scale[channel] + offset[channel].
 */
export interface ImageRule {
  /**
   * The rectangle of the picture that is used, in pixels of the picture as it lies, outwards to whole ones; what reaches
   * beyond the picture is left out. Default: all of it.
   */
  readonly region?: readonly [x: number, y: number, width: number, height: number];
  /** Degrees by which the picture is turned clockwise before all else; default 0. */
  readonly rotate?: 0 | 90 | 180 | 270;
  /** Whether the picture, turned, is mirrored left to right; default false. */
  readonly flip?: boolean;
  /** How a picture of another aspect is fitted. `crop`: the centre `cropFraction` of the shorter side. */
  readonly fit: 'stretch' | 'crop' | 'letterbox';
  readonly cropFraction: number;
  readonly filter: 'bilinear' | 'bicubic';
  /** Widen the filter by the scale when shrinking, as PIL does; without it a large picture is sampled sparsely. */
  readonly antialias: boolean;
  readonly corners: 'half-pixel' | 'align';
  readonly channels: 'rgb' | 'bgr' | 'grey';
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}

/** A network with static shapes: plain data, owned by nobody, never changed once built. */
export interface Graph {
  /** The file or architecture id that it came from; used in messages. */
  readonly name: string;
  readonly inputs: readonly GraphInput[];
  readonly outputs: readonly GraphOutput[];
  /** In topological order: a node comes after the producers of its inputs. */
  readonly nodes: readonly Node[];
  readonly labels?: readonly string[];
  readonly image?: ImageRule;
  /** What the file does not say and was assumed, a sentence each. */
  readonly assumptions?: readonly string[];
  /** How the outputs are decoded, where the file says; `mobilenet-webgpu/tasks` does it. */
  readonly decoding?: Decoding;
  /** How the file holds the network as integers, where it does and that was asked for. */
  readonly quantisation?: GraphQuantisation;
  /** It has been through the passes: a saved model. */
  readonly prepared?: boolean;
}
