/** Names of classes, as data: `mobilenet-webgpu/labels`. What is not imported is not in a bundle. */
export { imagenetLabels } from './imagenet.ts';
