import { layerCosts, separableRatio } from '../../src/analysis/index.ts';
import type { Graph } from '../../src/index.ts';
import { normalConvolution, separableConvolution } from './graphs.ts';
import type { Counts, Sizes } from './race.ts';

/** One choice of sizes: its two networks, and what the engine's cost model counts for them. */
export class Lesson {
  readonly sizes: Sizes;
  readonly counts: Counts;
  /** 1/n_c′ + 1/f². */
  readonly expectedRatio: number;
  readonly #graphs: { readonly normal: Graph; readonly separable: Graph };

  constructor(sizes: Sizes) {
    const options = { size: sizes.n, kernel: sizes.f, inChannels: sizes.nc, outChannels: sizes.nk };
    this.sizes = sizes;
    this.#graphs = { normal: normalConvolution(options), separable: separableConvolution(options) };
    const [normal] = layerCosts(this.#graphs.normal);
    const [depthwise, pointwise] = layerCosts(this.#graphs.separable);
    this.counts = {
      outputSide: normal!.shape[1],
      normal: normal!.multiplications,
      depthwise: depthwise!.multiplications,
      pointwise: pointwise!.multiplications,
    };
    this.expectedRatio = separableRatio(sizes.nk, sizes.f);
  }

  graphs(): { readonly normal: Graph; readonly separable: Graph } {
    return this.#graphs;
  }
}
