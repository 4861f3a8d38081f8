import type { TfjsAttributes } from './attributes.ts';

export interface TfjsNode {
  readonly name: string;
  readonly op: string;
  /** Tensors read: `node` or `node:1`; no control inputs. */
  readonly inputs: readonly string[];
  readonly attributes: TfjsAttributes;
}

/** `node:1` → `node`. */
export const nodeOf = (tensor: string): string => tensor.replace(/:\d+$/, '');
