/** Models that others publish, by name: where they are, what they are, and how pictures become their input. */
import type { Graph, ImageRule } from '../graph/graph.ts';
import { plainImage } from '../graph/image-rule.ts';

export interface CatalogueEntry {
  /** For `load`: the data set that it was trained on, and the network. */
  readonly id: string;
  /** What it does: the method of `Model` for it. */
  readonly task: 'classify' | 'detect' | 'pose' | 'segment';
  /** At a fixed version. */
  readonly url: string;
  /** Of the file, in hexadecimal: `load` refuses any other. */
  readonly sha256: string;
  readonly bytes: number;
  /** An SPDX expression, of the publisher's repository. */
  readonly licence: string;
  /** How pictures become the input, where the file does not say; null: it does. */
  readonly image: ImageRule | null;
  /** What is needed beside the file's own labels. */
  readonly labels: 'imagenet' | null;
}

const support =
  'https://raw.githubusercontent.com/tensorflow/tflite-support/dd3362ea685bb7ab1f7268c81ec567d3b720ae57/' +
  'tensorflow_lite_support/cc/test/testdata/task/vision/';
const coral = 'https://raw.githubusercontent.com/google-coral/test_data/104342d2d3480b3e66203073dac24f4e2dbb4c41/';
const licence = 'Apache-2.0';

export const catalogue: readonly CatalogueEntry[] = [
  {
    id: 'imagenet/v1-0.25',
    task: 'classify',
    url: `${support}mobilenet_v1_0.25_224_1_default_1.tflite`,
    sha256: '446ec673881cd46371a8726075b714194ada39d144762260cb76d15318597df7',
    bytes: 1_882_904,
    licence,
    image: { ...plainImage, scale: [1 / 127.5], offset: [-1] },
    labels: 'imagenet',
  },
  {
    id: 'imagenet/v2-1.0-quantised',
    task: 'classify',
    url: `${coral}mobilenet_v2_1.0_224_quant.tflite`,
    sha256: '7aad0c74c5e3c06e5eb3c827e13304fdd68a83da6087d92ee169c24ff9fd4776',
    bytes: 3_610_798,
    licence,
    image: null,
    labels: 'imagenet',
  },
  {
    id: 'coco/ssd-v1-quantised',
    task: 'detect',
    url: `${support}coco_ssd_mobilenet_v1_1.0_quant_2018_06_29.tflite`,
    sha256: '61d598093ed03ed41aa47c3a39a28ac01e960d6a810a5419b9a5016a1e9c469b',
    bytes: 4_185_023,
    licence,
    image: null,
    labels: null,
  },
  {
    id: 'coco/movenet-lightning-quantised',
    task: 'pose',
    url: `${coral}movenet_single_pose_lightning_ptq.tflite`,
    sha256: 'cd7cc22fa946e5d146a7b98d496853e1923e22828d3972d579973f27f91bb105',
    bytes: 2_894_840,
    licence,
    image: null,
    labels: null,
  },
  {
    id: 'voc/deeplab-v3',
    task: 'segment',
    url: `${support}deeplabv3.tflite`,
    sha256: '9711334db2b01d5894feb8ed0f5cb3e97d125b8d229f8d8692f625801818f5ef',
    bytes: 2_780_051,
    licence,
    image: null,
    labels: null,
  },
];

export const catalogueEntry = (id: string): CatalogueEntry | undefined => catalogue.find((entry) => entry.id === id);

/** The graph of an entry's file with what the file does not say. */
export async function described(graph: Graph, { image, labels }: CatalogueEntry): Promise<Graph> {
  const names = labels && !graph.labels ? (await import('../labels/imagenet.ts')).imagenetLabels : null;
  return {
    ...graph,
    ...(image && !graph.image ? { image } : {}),
    // The classifiers of TensorFlow have a background before them.
    ...(names ? { labels: ['background', ...names] } : {}),
  };
}
