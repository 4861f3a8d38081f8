/**
 * Classes of one's own from embeddings of pictures (`Model.embed`), learnt where they are: nearest neighbours, which know an
 * example as soon as it is added, and a softmax head, which is trained on many.
 */
export { type Examples, type HeadOptions, type HeadProgress, SoftmaxHead, trainHead } from './head.ts';
export { NearestNeighbours } from './neighbours.ts';
export type { Ranked } from './ranked.ts';
