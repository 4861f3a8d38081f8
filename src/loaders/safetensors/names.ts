/** What a naming scheme tells of a file. */
export interface Naming {
  readonly library: 'timm' | 'torchvision' | 'transformers';
  readonly network: Network;
  /** Where the tensors of a layer of `src/architectures` are; undefined where the library has no such layer. */
  readonly moduleOf: (layer: string) => Module | undefined;
}

export type Network =
  | { readonly version: 1 }
  /** `depths`: blocks of each stage where they are not the paper's. */
  | { readonly version: 2; readonly depths?: readonly number[] }
  | { readonly version: 3; readonly size: 'small' | 'large'; readonly minimalistic: boolean }
  | { readonly version: 4; readonly size: 'small' | 'medium' | 'large' };

export interface Module {
  /** Before `.weight` and `.bias` of the convolution or fully connected layer. */
  readonly weights: string;
  /** Before `.weight`, `.bias`, `.running_mean` and `.running_var` of the batch-norm, where there is one. */
  readonly norm: string;
}

export const moduleAt = (prefix: string, weights: string, norm: string): Module => ({
  weights: prefix + weights,
  norm: prefix + norm,
});

/** `block3/squeeze-excite/reduce` → 3 and `squeeze-excite/reduce`; null for a layer outside the blocks. */
export function blockOf(layer: string): { readonly block: number; readonly part: string } | null {
  const [, block, part = ''] = /^block(\d+)(?:\/(.+))?$/.exec(layer) ?? [];
  return block === undefined ? null : { block: Number(block), part };
}
