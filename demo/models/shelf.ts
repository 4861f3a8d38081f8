// Not read here: a model.json names its shards, and this brings the shard beside it.
import faceWeightsUrl from '../../node_modules/@vladmandic/human/models/faceres.bin?url';
import faceModelUrl from '../../node_modules/@vladmandic/human/models/faceres.json?url';
import type { LoadOptions, ModelSource } from '../../src/index.ts';
import { symbolModelUrl } from '../draw/symbols.ts';

/** A model that can be compared. */
export interface ShelfModel {
  readonly id: string;
  readonly title: string;
  readonly source: ModelSource;
  readonly options?: LoadOptions | undefined;
}

const random = (id: string, title: string): ShelfModel => ({ id, title: `${title}, random weights`, source: id });

const offered: readonly ShelfModel[] = [
  { id: 'symbols', title: 'MobileNetV4 ×0.35, drawn symbols', source: new URL(symbolModelUrl, location.href) },
  { id: 'faces', title: 'MobileNetV1, faces', source: new URL(faceModelUrl, location.href) },
  random('v1-0.25-128', 'MobileNetV1 ×0.25 at 128²'),
  random('v1-1.0-224', 'MobileNetV1 ×1.0 at 224²'),
  random('v2-0.35-96', 'MobileNetV2 ×0.35 at 96²'),
  random('v2-1.0-224', 'MobileNetV2 ×1.0 at 224²'),
];

export const shardUrls: readonly string[] = [faceWeightsUrl];

/** The models on offer, and the one that the person opened last. */
class Shelf extends EventTarget {
  #opened: ShelfModel | null = null;

  /** The one that the person opened last. */
  get opened(): ShelfModel | null {
    return this.#opened;
  }

  get models(): readonly ShelfModel[] {
    return this.#opened ? [...offered, this.#opened] : offered;
  }

  put(title: string, source: ModelSource, options?: LoadOptions): void {
    this.#opened = { id: 'opened', title: `${title}, opened by you`, source, options };
    this.dispatchEvent(new Event('change'));
  }
}

export const shelf = new Shelf();
