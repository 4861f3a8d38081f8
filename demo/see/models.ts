/** What the See tab looks with. */
import selfieUrl from '../../node_modules/@mediapipe/selfie_segmentation/selfie_segmentation.tflite?url';
import boxesWeightsUrl from '../../node_modules/@vladmandic/human/models/centernet.bin?url';
import boxesUrl from '../../node_modules/@vladmandic/human/models/centernet.json?url';
import poseWeightsUrl from '../../node_modules/@vladmandic/human/models/movenet-lightning.bin?url';
import poseUrl from '../../node_modules/@vladmandic/human/models/movenet-lightning.json?url';
import { type CatalogueEntry, isCached, type LoadOptions, type ModelSource } from '../../src/index.ts';

export interface SeeModel {
  readonly id: string;
  readonly title: string;
  readonly source: ModelSource;
  readonly options?: LoadOptions;
}

/** Shards that a model.json names: they lie beside it. */
export const seeShards: readonly string[] = [boxesWeightsUrl, poseWeightsUrl];

const own = (id: string, title: string, url: string): SeeModel => ({ id, title, source: new URL(url, location.href) });

/** Those that come with the page. */
export const ownModels: Readonly<Record<'objects' | 'pose' | 'person', SeeModel>> = {
  objects: own('objects', 'CenterNet on MobileNetV3', boxesUrl),
  pose: own('pose', 'MoveNet Lightning on MobileNetV2', poseUrl),
  person: own('person', 'Selfie segmentation on MobileNetV3', selfieUrl),
};

/** Where files of the catalogue are fetched from in place of their own addresses: for a page without the internet. */
const mirror = import.meta.env.VITE_MODEL_MIRROR as string | undefined;

/** A classifier of the engine's catalogue, fetched when the visitor asks, checked, and kept by the browser. */
export function catalogueModel({ id, url }: CatalogueEntry): SeeModel {
  const name = url.split('/').pop()!;
  return {
    id,
    title: catalogueTitles[id] ?? id,
    source: id,
    options: {
      cache: 'storage',
      // Scores of 8 bits are zero from the third class on: the real numbers behind them say more.
      precision: 'float32',
      ...(mirror && { fetch: (address, init) => fetch(address === url ? new URL(name, mirror) : address, init) }),
    },
  };
}

export const catalogueTitles: Readonly<Record<string, string>> = {
  'imagenet/v1-0.25': 'MobileNetV1 ×0.25, ImageNet',
  'imagenet/v2-1.0-quantised': 'MobileNetV2, ImageNet',
};

export const hostOf = ({ url }: CatalogueEntry): string => new URL(mirror ?? url).host;

export const isKept = ({ url }: CatalogueEntry): Promise<boolean> => isCached(url).catch(() => false);
