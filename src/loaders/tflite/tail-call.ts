/** An operator at the end of a file that decodes: it is not run, the graph ends at what it reads. */
import type { Constant } from '../core/constants.ts';
import type { TfliteTensor } from './tensors.ts';

export interface TailCall {
  /** The operator's custom options, as they lie in the file. */
  readonly options: Uint8Array;
  /** Tensors that it reads and that became outputs, under their names. */
  readonly heads: readonly TfliteTensor[];
  /** The constant that is input `i` of the operator. */
  readonly constant: (i: number) => Constant;
  readonly fail: (message: string) => never;
}
