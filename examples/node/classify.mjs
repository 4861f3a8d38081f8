// node classify.mjs PICTURE [MODEL]: on WebGPU after `npm install --no-save webgpu`.
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { load } from 'mobilenet-webgpu/node';

const [picture, file = 'imagenet/v1-0.25'] = process.argv.slice(2);
const model = await load(file);
const image = await loadImage(picture);
const context = createCanvas(image.width, image.height).getContext('2d');
context.drawImage(image, 0, 0);
const [best] = await model.classify(context.getImageData(0, 0, image.width, image.height), { image: 'keras', top: 1 });
console.log(`${best.label ?? best.index} ${best.score.toFixed(3)} on ${model.device}`);
model.dispose();
// Dawn keeps a process alive.
process.exit(0);
