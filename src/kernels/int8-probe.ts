import source from '../../shaders/int8-probe.wgsl?raw';
import { int8Prelude } from './int8.ts';
import { ceilDiv, inputBinding, outputBinding, type Program, shapeBinding } from './kernel.ts';

/** Of so many pairs: a float product of a sum, or with `dot` a packed dot product. */
export const probeProgram = (count: number, dot: boolean): Program => ({
  file: 'int8-probe.wgsl',
  source,
  prelude: int8Prelude,
  constants: { DOT4: dot, REAL_SRC: false, REAL_DST: false, QUANTISE: false, SUBGROUPS: false },
  overrides: {},
  shape: { count },
  bindings: [shapeBinding, inputBinding(0), outputBinding],
  workgroups: [ceilDiv(count, 64), 1, 1],
});
