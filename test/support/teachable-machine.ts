/** A small export as Teachable Machine makes them, and what TensorFlow.js says of a picture. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import { randomValues } from './oracles.ts';
import { modelFolder, predict, randomiseWeights, saveModel, tensorflowLayers } from './tfjs-layers.ts';

export const labels = ['ash', 'birch', 'cedar'];
/** Of the model's input; the picture is 48 wide and as high. */
export const size = 32;

/** Writes model.json, weights.bin, metadata.json and picture.png. `scores`: of the picture's centre square. */
export async function writeTeachableMachine(folder: string) {
  const { tf, layers: api } = await tensorflowLayers();
  const features = api.sequential({
    layers: [
      api.layers.conv2d({ inputShape: [size, size, 3], filters: 6, kernelSize: 3, strides: 2, padding: 'same' }),
      api.layers.depthwiseConv2d({ kernelSize: 3, padding: 'same' }),
      api.layers.reLU({ maxValue: 6 }),
      api.layers.globalAveragePooling2d({}),
    ],
  });
  const head = api.sequential({
    layers: [api.layers.dense({ inputShape: [6], units: 3, activation: 'softmax', useBias: false })],
  });
  const model = api.sequential({ layers: [features, head] as never });
  randomiseWeights(tf, model as never, 21);
  const metadata = { packageName: '@teachablemachine/image', packageVersion: '0.8.5', labels, imageSize: size };
  const files = modelFolder(await saveModel(tf, model as never), { 'metadata.json': metadata });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);

  const canvas = createCanvas(48, size);
  const context = canvas.getContext('2d');
  const picture = context.createImageData(48, size);
  picture.data.set(randomValues(48 * size * 4, 4, 0, 256).map((v, i) => (i % 4 === 3 ? 255 : Math.floor(v))));
  context.putImageData(picture, 0, 0);
  writeFileSync(join(folder, 'picture.png'), canvas.toBuffer('image/png'));
  const square = context.getImageData(8, 0, size, size).data;
  const pixels = Float32Array.from({ length: size * size * 3 }, (_, i) => {
    return square[Math.floor(i / 3) * 4 + (i % 3)]! / 127 - 1;
  });
  const scores = predict(tf, model as never, [{ dims: [1, size, size, 3], data: pixels }])[0]!.data;
  return { files, scores, best: scores.indexOf(Math.max(...scores)) };
}
