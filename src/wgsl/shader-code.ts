import prelude from '../../shaders/prelude.wgsl?raw';
import { coreFragments } from './fragments.ts';
import { type Fragments, type Names, preprocess } from './preprocess.ts';

/** What the prelude asks for: which operands of a kernel are halves, stored how, and whether it needs subgroups. */
export interface PreludeOptions {
  readonly precision: 'float32' | 'float16' | 'float16-packed' | 'int8';
  readonly src?: boolean;
  readonly other?: boolean;
  readonly weight?: boolean;
  readonly dst?: boolean;
  readonly subgroups?: boolean;
}

/** The same as names of the prelude's directives. */
export const preludeNames = (options: PreludeOptions): Names => {
  const { precision, src = false, other = false, weight = false, dst = false, subgroups = false } = options;
  return {
    F16: precision === 'float16',
    F16_PACKED: precision === 'float16-packed',
    HALF_SRC: src,
    HALF_OTHER: other,
    HALF_WEIGHT: weight,
    HALF_DST: dst,
    SUBGROUPS: subgroups,
  };
};

/**
 * The final WGSL of a kernel: the prelude and the shader file, directives resolved. `constants`: `preludeNames` too.
 * `fragments`: what it may include beside `coreFragments`; `before`: what takes the prelude's place.
 */
export function shaderCode(
  file: string,
  source: string,
  constants: Names,
  fragments?: Fragments,
  before = { file: 'prelude.wgsl', source: prelude },
): string {
  const known = { ...coreFragments, ...fragments };
  return `${preprocess(before.file, before.source, constants)}\n${preprocess(file, source, constants, known)}`;
}
