import source from '../../shaders/largest-difference.wgsl?raw';
import { inputBinding, outputBinding, type Program, shapeBinding } from './kernel.ts';
import { type StoredTensor, throughWords } from './trial-values.ts';

/** Bytes of what a workgroup finds: a difference, and whether a number is not finite. */
export const FOUND_BYTES = 8;

/** Compares two tensors that are stored alike; one result for each of its workgroups. */
export function largestDifferenceProgram(tensor: StoredTensor): Program {
  const { shape, overrides, workgroups } = throughWords(tensor);
  return {
    file: 'largest-difference.wgsl',
    source,
    constants: {},
    overrides,
    shape,
    bindings: [shapeBinding, inputBinding(0), inputBinding(1), outputBinding],
    workgroups,
  };
}
