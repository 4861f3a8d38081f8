import type { Shape } from '../graph/ops.ts';

/**
 * How weights and tensors are stored on the GPU. In float16, weights of depthwise convolutions that compute in float32, and the tensors
 * that storage.ts keeps, are float32 all the same. In int8, tensors of stored integers are bytes, four channels to a word, the
 * first lowest, and all others float32.
 */
export type Precision = 'float32' | 'float16' | 'float16-packed' | 'int8';

export const isHalf = (precision: Precision): boolean => precision === 'float16' || precision === 'float16-packed';

/** Bytes of one stored element. */
export const bytesPerElement = (precision: Precision): number =>
  precision === 'int8' ? 1 : precision === 'float32' ? 4 : 2;

/** What a device allows, in bytes. */
export interface DeviceLimits {
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
}

/** A range of one of the plan's buffers. */
export interface Range {
  readonly offset: number;
  readonly bytes: number;
}

/** Where a tensor lies: a range of one of the arena's buffers. */
export interface Placement extends Range {
  readonly buffer: number;
  readonly shape: Shape;
  readonly precision: Precision;
  /** Stored as the caller gives it, without padding lanes. */
  readonly dense?: true;
}

/** A compute pipeline; two dispatches with equal ones share it. */
export interface PipelineSpec {
  /** For labels and messages: the shader's file name. */
  readonly label: string;
  /** Final WGSL. */
  readonly code: string;
  readonly overrides: Readonly<Record<string, number>>;
  /** `external`: a frame of video, which no plan reads. */
  readonly bindings: readonly (
    | 'uniform'
    | 'read'
    | 'texture'
    | 'texture-uint'
    | 'texture-sint'
    | 'external'
    | 'write'
  )[];
}

/**
 * Which range of a buffer, or which texture, a binding of a dispatch reads or writes. A range of the constants that is
 * bound as a uniform is as large as the shader's variable and may reach past its constant, into what is never read.
 */
export type BoundRange =
  | (Range & ({ readonly kind: 'uniform' | 'constants' } | { readonly kind: 'arena'; readonly buffer: number }))
  | { readonly kind: 'texture'; readonly texture: number };

/** One `dispatchWorkgroups`. */
export interface Dispatch {
  /** The node that it computes; a fused kernel carries the name of the node that it ends with. */
  readonly node: string;
  readonly kernel: string;
  readonly pipeline: number;
  readonly bindings: readonly BoundRange[];
  readonly workgroups: readonly [number, number, number];
  readonly reads: readonly string[];
  /** The first is the node's output. */
  readonly writes: readonly string[];
}

/** A packed constant's place: constant `index` of a node, in the constants buffer or in a texture of its own. */
export interface ConstantSlot extends Range {
  readonly node: string;
  readonly index: number;
  /** Index of its texture; its offset is then 0. */
  readonly texture?: number;
}

/** A packed constant and where it goes. */
export interface ConstantUpload {
  readonly slot: ConstantSlot;
  readonly data: Float32Array | Uint16Array | Uint32Array | Int8Array;
}

/** A texture of weights, four values a texel. */
export interface TextureSpec {
  readonly width: number;
  readonly height: number;
  readonly format: 'rgba32float' | 'rgba16float' | 'rgba32uint' | 'rgba8sint';
}

/**
 * Everything that the GPU needs to run a graph but its weights: plain data without functions or GPU objects, the same
 * after `JSON.parse(JSON.stringify(plan))`.
 */
export interface Plan {
  /** Version of the engine that wrote it. */
  readonly engine: string;
  /** Name of the graph. */
  readonly graph: string;
  readonly precision: Precision;
  /** Sizes of the arena's buffers in bytes. */
  readonly arena: readonly number[];
  /** Size of the constants buffer: to the end of the last constant or bound range. */
  readonly constantBytes: number;
  readonly textures: readonly TextureSpec[];
  /** 32-bit words of the one uniform buffer: each dispatch's `struct Shape`, 256 bytes apart. */
  readonly uniforms: readonly number[];
  readonly pipelines: readonly PipelineSpec[];
  readonly dispatches: readonly Dispatch[];
  readonly constants: readonly ConstantSlot[];
  readonly tensors: Readonly<Record<string, Placement>>;
  readonly inputs: readonly string[];
  readonly outputs: readonly { readonly name: string; readonly tensor: string }[];
}
