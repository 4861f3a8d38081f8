import type { TfjsAttributes } from './attributes.ts';

export interface TfjsNode {
  readonly name: string;
  readonly op: string;
  /** Tensors read: `node` or `node:1`; no control inputs. */
  readonly inputs: readonly string[];
  readonly attributes: TfjsAttributes;
}

/** `node:1` → `node`. */
export function nodeOf(tensor: string): string {
  const colon = tensor.lastIndexOf(':');
  return colon >= 0 && /^\d{1,9}$/.test(tensor.slice(colon + 1)) ? tensor.slice(0, colon) : tensor;
}
