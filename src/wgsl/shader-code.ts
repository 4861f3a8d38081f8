import prelude from '../../shaders/prelude.wgsl?raw';
import { type Names, preprocess } from './preprocess.ts';

/** The final WGSL of a kernel: the prelude and the shader file, directives resolved. */
export function shaderCode(file: string, source: string, constants: Names): string {
  return `${preprocess('prelude.wgsl', prelude, constants)}\n${preprocess(file, source, constants)}`;
}
