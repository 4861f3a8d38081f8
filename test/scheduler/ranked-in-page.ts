/** Functions that the tests of ranked classes run in the browser. */
import { imageToTensor, softmax, topK } from '../../src/analysis/index.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import {
  type Classification,
  type ClassifyOptions,
  type Graph,
  type LoadOptions,
  load,
  type Model,
  type Picture,
  type Precision,
} from '../../src/index.ts';
import { signedPixels as image } from '../support/image-rule.ts';
import { randomValues } from '../support/random-values.ts';
import { counted } from './in-page.ts';

const pictureOf = (seed: number, width = 20, height = 20): Picture => ({
  width,
  height,
  data: Uint8ClampedArray.from(randomValues(4 * width * height, seed, 0, 256)),
});

/** A small network; with a softmax behind it where it is to end in probabilities. */
function networkOf(id: string, classes: number, probabilities = false): Graph {
  const graph = buildArchitecture(id, { classes });
  if (!probabilities) return graph;
  const [{ tensor }] = graph.outputs as [Graph['outputs'][number]];
  const node = { op: 'softmax', name: 'probabilities', inputs: [tensor], output: 'probabilities' } as const;
  return { ...graph, nodes: [...graph.nodes, node], outputs: [{ name: 'probabilities', tensor: 'probabilities' }] };
}

/** Bytes that are copied to be read, and that are mapped, while `work` runs. */
async function bytesOf(work: () => Promise<unknown>): Promise<{ copied: number; mapped: number }> {
  const { copyBufferToBuffer } = GPUCommandEncoder.prototype;
  const { mapAsync } = GPUBuffer.prototype;
  const bytes = { copied: 0, mapped: 0 };
  GPUCommandEncoder.prototype.copyBufferToBuffer = function (...args: unknown[]) {
    bytes.copied += args[4] as number;
    return (copyBufferToBuffer as (...args: unknown[]) => undefined).apply(this, args);
  };
  GPUBuffer.prototype.mapAsync = function (mode, offset, size) {
    bytes.mapped += size ?? this.size;
    return mapAsync.call(this, mode, offset, size);
  };
  try {
    await work();
  } finally {
    GPUCommandEncoder.prototype.copyBufferToBuffer = copyBufferToBuffer;
    GPUBuffer.prototype.mapAsync = mapAsync;
  }
  return bytes;
}

/** A model on the kernels that follow the first result: its first convolution takes pictures. */
async function opened(graph: Graph, options: LoadOptions = {}): Promise<Model> {
  const model = await load(graph, { device: 'webgpu', tuning: 'off', ...options });
  await model.tune({ budgetMs: 0, cache: null });
  return model;
}

/** Calls of WebGPU and bytes of a warm classification, and those of one that asks for another number of classes. */
export async function countClassify({
  id,
  classes,
  top,
  embedding = false,
  size = 20,
}: {
  id: string;
  classes: number;
  top: number;
  embedding?: boolean;
  size?: number;
}) {
  const model = await opened(networkOf(id, classes), { embedding });
  try {
    const classify = (seed: number, options: ClassifyOptions) =>
      model[embedding ? 'embed' : 'classify'](pictureOf(seed, size, size), options);
    await classify(1, { image, top: 1 });
    let bytes = { copied: 0, mapped: 0 };
    const calls = await counted(async () => {
      bytes = await bytesOf(() => classify(2, { image, top }));
    });
    return { ...bytes, ...calls, dispatches: calls.dispatches - model.plan.dispatches.length };
  } finally {
    model.dispose();
  }
}

/** Classes of a picture, ranked on the GPU, beside those of its whole output, sorted here. */
export async function rankedAndSorted({
  id,
  classes,
  probabilities,
  top,
  precision,
  size = 20,
}: {
  id: string;
  classes: number;
  probabilities: boolean;
  top: number;
  precision: Precision;
  size?: number;
}) {
  const picture = pictureOf(3, size, size);
  const model = await opened(networkOf(id, classes, probabilities), { precision });
  try {
    const ranked = await model.classify(picture, { image, top });
    const all = await model.classify(picture, { image, top: 1e6 });
    const [input] = model.inputs;
    const tensor = imageToTensor(picture, image, [input!.shape[1], input!.shape[2]], 3);
    const [values] = Object.values(await model.run(tensor));
    const expected = topK(values!, top);
    const scores = probabilities ? values! : softmax(values!);
    return {
      indices: ranked.map(({ index }) => index),
      fromAll: all.slice(0, top).map(({ index }) => index),
      classesOfAll: all.length,
      expected: expected.map(({ index }) => index),
      // The picture is made a tensor on the GPU in one case, on the CPU in the other, which differ by roundings.
      difference: Math.max(...ranked.map(({ index, score }) => Math.abs(score - scores[index]!))),
      fromAllDifference: Math.max(...ranked.map(({ score }, i) => Math.abs(score - all[i]!.score))),
    };
  } finally {
    model.dispose();
  }
}

/**
 * Classifications that do not wait for one another, of pictures and counts of their own, one of them stopped, two by a
 * rule that needs another pipeline, two by all scores, two that need no resizing, beside what each gives alone.
 */
export async function overlappedClassify({ id }: { id: string }) {
  const model = await opened(networkOf(id, 100));
  const requests = Array.from({ length: 9 }, (_, i) => ({
    picture: i === 4 || i === 5 ? pictureOf(i + 1, 64, 64) : pictureOf(i + 1, i === 7 ? 40 : 20),
    options: {
      top: [3, 10, 100, 1, 64, 100, 5, 5, 2][i]!,
      image: i === 3 || i === 4 ? ({ ...image, channels: 'bgr' } as const) : image,
    },
  }));
  try {
    const alone: Classification[][] = [];
    for (const { picture, options } of requests) alone.push(await model.classify(picture, options));
    await model.classify(pictureOf(1), { image });
    const order: number[] = [];
    const stop = new AbortController();
    const together = requests.map(({ picture, options }, i) =>
      model.classify(picture, i === 1 ? { ...options, signal: stop.signal } : options).then((top) => {
        order.push(i);
        return top;
      }),
    );
    stop.abort(new Error('stopped by the test'));
    for (const { picture } of requests) picture.data.fill(0);
    const settled = await Promise.allSettled(together);
    const same = settled.map((one, i) =>
      one.status === 'fulfilled'
        ? JSON.stringify(one.value) === JSON.stringify(alone[i])
        : (one.reason as Error).message,
    );
    const distinct = new Set(alone.map(([best]) => `${best!.index} ${best!.score}`)).size;
    return { same, order, distinct };
  } finally {
    model.dispose();
  }
}

/** Calls of WebGPU by pictures that take turns: of the input's size, smaller, and by two orders of channels. */
export async function takingTurns({ id }: { id: string }) {
  const model = await opened(networkOf(id, 10));
  const bgr = { ...image, channels: 'bgr' } as const;
  const turns = async () => {
    for (const size of [64, 20]) {
      for (const rule of [image, bgr]) await model.classify(pictureOf(1, size, size), { image: rule });
    }
  };
  await turns();
  const { dispatches, created } = await counted(turns);
  model.dispose();
  return { dispatches: dispatches - 4 * model.plan.dispatches.length, created };
}

/** What is submitted at once by warm classifications that do not wait for one another, and what they create. */
export async function atOnce({ id, size }: { id: string; size: number }) {
  const model = await opened(networkOf(id, 10));
  await model.classify(pictureOf(1, size, size), { image });
  let submitted = 0;
  const { submit } = GPUQueue.prototype;
  GPUQueue.prototype.submit = function (buffers) {
    if ([...buffers].length > 0) submitted++;
    return submit.call(this, buffers);
  };
  try {
    let first = 0;
    const { created } = await counted(async () => {
      const all = [1, 2, 3, 4, 5].map((seed) => model.classify(pictureOf(seed, size, size), { image }));
      first = submitted;
      await Promise.all(all);
    });
    return { first, submitted, created };
  } finally {
    GPUQueue.prototype.submit = submit;
    model.dispose();
  }
}

/** Numbers of classes at the limits, a model whose output is no list of classes, and a model disposed of meanwhile. */
export async function unusual({ id }: { id: string }) {
  const model = await opened(networkOf(id, 70), { device: 'webgpu', tuning: 'off' });
  const lengths: number[] = [];
  for (const top of [1, 64, 65, 70, 71, 2.5]) {
    lengths.push((await model.classify(pictureOf(1), { image, top })).length);
  }
  model.dispose();
  const map: Graph = {
    name: 'places',
    inputs: [{ name: 'x', shape: [1, 4, 4, 3] }],
    outputs: [{ name: 'y', tensor: 'y' }],
    nodes: [
      { op: 'affine', name: 'twice', inputs: ['x'], output: 'y', scale: Float32Array.of(2), shift: Float32Array.of(0) },
    ],
  };
  const places = await load(map, { device: 'webgpu', tuning: 'off' });
  const ofPlaces = await places.classify(pictureOf(1), { image, top: 48 });
  const { length, 0: first } = ofPlaces;
  places.dispose();
  const sum = ofPlaces.reduce((total, { score }) => total + score, 0);
  const said = await interrupted(await opened(networkOf(id, 10)));
  return { lengths, places: { length, sum, ordered: ofPlaces.every(({ score }) => score <= first!.score) }, said };
}

/** What is said where one of three scores is NaN, of the best two classes and of as many as there are. */
export async function notANumber({ device }: { device: 'webgpu' | 'reference' }) {
  const shift = Float32Array.of(0, 0, Number.NaN);
  const graph: Graph = {
    name: 'damaged',
    inputs: [{ name: 'x', shape: [1, 4, 4, 3] }],
    outputs: [{ name: 'y', tensor: 'y' }],
    nodes: [
      { op: 'global-average-pool', name: 'mean', inputs: ['x'], output: 'mean' },
      { op: 'affine', name: 'damage', inputs: ['mean'], output: 'y', scale: Float32Array.of(1, 1, 1), shift },
    ],
  };
  const model = await load(graph, { device, tuning: 'off' });
  const said: string[] = [];
  for (const top of [2, Number.POSITIVE_INFINITY]) {
    await model
      .classify(pictureOf(1), { image, top })
      .catch((error: Error) => said.push(`${error.name}: ${error.message}`));
  }
  model.dispose();
  return said;
}

const interrupted = (model: Model): Promise<string> => {
  const said = model.classify(pictureOf(1), { image }).then(
    () => 'no error',
    (error: Error) => `${error.name}: ${error.message}`,
  );
  model.dispose();
  return said;
};
