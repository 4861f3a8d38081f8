/** What rounding weights to bytes costs real models: the table in docs/models.md, by the CPU reference. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { imageToTensor } from '../../src/analysis/index.ts';
import { inspect } from '../../src/inspect.ts';
import { loadGraph } from '../../src/loaders/index.ts';
import { withByteWeights } from '../../src/passes/byte-weights.ts';
import { prepare } from '../../src/passes/index.ts';
import { runGraph } from '../../src/reference/index.ts';
import { compareOutputs } from '../../src/validate/compare.ts';
import { signedPixels } from '../support/image-rule.ts';
import { modelFolder, withoutModels } from '../support/real-models.ts';
import { suite } from '../support/suite.ts';
import { type ZooModel, zoo, zooFiles, zooInput } from './zoo.ts';

const section = readFileSync('docs/models.md', 'utf8').split('### Weights as bytes')[1] ?? '';
const table = section.split('\n').map((line) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
    .join(' | '),
);

const photograph = async (
  name: string,
  [, height, width, channels]: readonly number[],
  range: readonly [number, number],
) => {
  const image = await loadImage(join(modelFolder, name));
  const context = createCanvas(image.width, image.height).getContext('2d');
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, image.width, image.height);
  const rule = { ...signedPixels, scale: [(range[1] - range[0]) / 255], offset: [range[0]] };
  return imageToTensor(pixels, rule, [height!, width!], channels!);
};

/** What is looked at: a photograph of what the network knows where there is one, else the painted scene. */
const rows = [
  ...zoo.map((model) => ({ ...model, picture: model.file.includes('movenet') ? 'squat.bmp' : 'scene' })),
  ...['burger.jpg', 'cat.bmp', 'parrot.jpg'].map((picture) => ({
    file: join(modelFolder, 'mobilenet_v1_0.25_224_1_default_1.tflite'),
    input: { name: 'input', dims: [1, 224, 224, 3], range: [-1, 1] as const },
    places: [],
    options: {},
    picture,
  })),
];

describe('weights as bytes', () => {
  it.for(rows)('$file, $picture: what docs/models.md says', async (row, { skip }) => {
    skip(suite !== 'full', 'takes its time: npm run test:full');
    const { file, picture, input, places = [] } = row;
    skip(!existsSync(file) || (picture !== 'scene' && !modelFolder), withoutModels);
    const loaded = await loadGraph(await zooFiles(row as ZooModel), row.options);
    const graph = prepare(loaded);
    const bytes = withByteWeights(graph);
    const { name, shape } = graph.inputs[0]!;
    const data = picture === 'scene' ? zooInput(row, shape).graph : await photograph(picture, shape, input.range);
    const [was, is] = [runGraph(graph, { [name]: data }), runGraph(bytes, { [name]: data })];
    const outputs = Object.entries(was).map(([output, values]) => ({
      output,
      ...compareOutputs(is[output]!.data, values.data),
    }));
    const best = outputs.filter(({ output }) => !places.includes(output));
    const share = (await inspect(graph, { weights: 'int8' })).weightBytes / (await inspect(graph)).weightBytes;
    const cells = [
      picture,
      outputs.map(({ nmse }) => nmse.toExponential(1)).join(', '),
      best.map(({ topEqual }) => (topEqual ? 'same' : 'another')).join(', '),
      share.toFixed(2),
    ];
    const line = `\`${basename(file)}\` | ${cells.join(' | ')}`;
    process.stdout.write(`| ${line} |\n`);
    expect(table, 'docs/models.md').toContain(line);
  });
});
