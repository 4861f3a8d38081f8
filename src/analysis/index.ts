/** What networks cost, and what pictures become, worked out on the CPU: `mobilenet-webgpu/analysis`. */
export {
  type LayerCost,
  type LayerKind,
  layerCosts,
  type NetworkCost,
  networkCost,
  separableRatio,
} from '../graph/cost.ts';
export type { ImageRule } from '../graph/graph.ts';
export { softmax, topK } from '../graph/scores.ts';
export { imageToTensor, type Picture } from '../images/image-to-tensor.ts';
