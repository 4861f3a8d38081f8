import { expect, it } from 'vitest';
import { ModelFormatError, UsageError } from '../../src/errors.ts';
import { NearestNeighbours, SoftmaxHead, trainHead } from '../../src/transfer/index.ts';
import { randomValues } from '../support/oracles.ts';

/** Clouds around a centre each: [class] → embeddings. */
function clouds(count: number, length: number, spread: number): Record<string, Float32Array[]> {
  const centres = ['cup', 'pen', 'key'].map((label, i) => ({ label, centre: randomValues(length, 10 + i) }));
  return Object.fromEntries(
    centres.map(({ label, centre }, i) => [
      label,
      Array.from({ length: count }, (_, j) => {
        const noise = randomValues(length, 1000 * (i + 1) + j);
        return centre.map((value, k) => 3 + 5 * (value + spread * noise[k]!));
      }),
    ]),
  );
}

it('nearest neighbours: votes by the cosine, worked by hand', () => {
  const known = new NearestNeighbours();
  known.add('right', Float32Array.of(2, 0));
  known.add('up', Float32Array.of(0, 7));
  known.add('up', Float32Array.of(1, 1));
  expect(known.counts).toEqual({ right: 1, up: 2 });
  // Cosines with (3, 1): 0.949 right, 0.316 up, 0.894 up.
  expect(known.classify(Float32Array.of(3, 1), { k: 1 })).toEqual([
    { label: 'right', score: 1 },
    { label: 'up', score: 0 },
  ]);
  expect(known.classify(Float32Array.of(3, 1), { k: 2 })).toEqual([
    { label: 'right', score: 0.5 },
    { label: 'up', score: 0.5 },
  ]);
  expect(known.classify(Float32Array.of(3, 1))[0]).toMatchObject({ label: 'up', score: expect.closeTo(2 / 3, 12) });
  const loaded = NearestNeighbours.load(known.save());
  expect(loaded.counts).toEqual(known.counts);
  expect(loaded.classify(Float32Array.of(3, 1))).toEqual(known.classify(Float32Array.of(3, 1)));
  known.remove('up');
  expect(known.classify(Float32Array.of(0, 1))).toEqual([{ label: 'right', score: 1 }]);
});

it('nearest neighbours: what cannot be used is refused', () => {
  const known = new NearestNeighbours();
  expect(() => known.classify(Float32Array.of(1))).toThrow(/no examples yet/);
  expect(() => known.add('x', new Float32Array(4))).toThrow(/zero everywhere/);
  expect(() => known.add('x', Float32Array.of(1, Number.NaN))).toThrow(/NaN at 1/);
  known.add('x', Float32Array.of(1, 2));
  expect(() => known.add('x', Float32Array.of(1))).toThrow(/has 1 numbers, expected 2/);
  expect(() => known.classify(Float32Array.of(1, 2), { k: 0 })).toThrow(UsageError);
});

it('a head comes to the optimum that TensorFlow.js comes to', async () => {
  const tf = await import('@tensorflow/tfjs-core');
  await import('@tensorflow/tfjs-backend-cpu');
  // It registers the gradients.
  await import('@tensorflow/tfjs-layers');
  tf.enableProdMode();
  await tf.setBackend('cpu');
  const examples = clouds(12, 6, 1.2);
  const progress: number[] = [];
  const head = await trainHead(examples, {
    ...{ epochs: 1500, batchSize: 36, learningRate: 0.02, regularisation: 0.05 },
    onProgress: ({ loss }) => progress.push(loss),
  });
  expect(progress).toHaveLength(1500);
  expect(progress[0]).toBeCloseTo(Math.log(3), 6);

  const rows = Object.values(examples).flat();
  const targets = Object.values(examples).flatMap((list, c) => list.map(() => c));
  const x = tf.tensor2d(rows.map((row) => [...row]));
  const { mean, variance } = tf.moments(x, 0);
  const standard = tf.div<ReturnType<typeof tf.tensor2d>>(tf.sub(x, mean), tf.sqrt(variance));
  const y = tf.oneHot(tf.tensor1d(targets, 'int32'), 3);
  const weights = tf.variable(tf.zeros([6, 3]));
  const bias = tf.variable(tf.zeros([3]));
  const logits = () => tf.add(tf.matMul(standard, weights as never), bias);
  const loss = () =>
    tf.add<ReturnType<typeof tf.scalar>>(
      tf.losses.softmaxCrossEntropy(y, logits()),
      tf.mul(tf.sum(tf.square(weights)), 0.05 / 2),
    );
  const adam = tf.train.adam(0.02);
  for (let i = 0; i < 1500; i++) adam.minimize(loss);
  expect(progress.at(-1)).toBeCloseTo((await loss().data())[0]!, 4);
  const expected = (await tf.softmax(logits()).array()) as number[][];
  for (const [i, row] of rows.entries()) {
    for (const { label, score } of head.classify(row)) {
      expect(score).toBeCloseTo(expected[i]![head.labels.indexOf(label)]!, 3);
    }
  }
});

it('a head learns in small batches, is the same for a seed, and comes back from its file', async () => {
  const examples = clouds(20, 64, 0.4);
  const accuracies: number[] = [];
  const onProgress = ({ accuracy }: { accuracy: number }) => accuracies.push(accuracy);
  const head = await trainHead(examples, { epochs: 10, batchSize: 8, onProgress });
  expect(accuracies.at(-1)).toBe(1);
  const unseen = clouds(30, 64, 0.4);
  for (const [label, list] of Object.entries(unseen)) {
    for (const embedding of list.slice(20)) expect(head.classify(embedding)[0]!.label).toBe(label);
  }
  const again = await trainHead(examples, { epochs: 10, batchSize: 8 });
  expect(again.weights).toEqual(head.weights);
  const loaded = SoftmaxHead.load(head.save());
  expect(loaded.classify(examples.pen![0]!)).toEqual(head.classify(examples.pen![0]!));
});

it('a head: what cannot be used is refused, and the signal ends it', async () => {
  const one = [Float32Array.of(1, 2)];
  await expect(trainHead({ a: one })).rejects.toThrow(/of 1 classes, expected two or more/);
  await expect(trainHead({ a: one, b: [] })).rejects.toThrow(/"b" has no examples/);
  await expect(trainHead({ a: one, b: [Float32Array.of(1)] })).rejects.toThrow(/"b" has 1 numbers, expected 2/);
  await expect(trainHead({ a: one, b: one }, { batchSize: 0 })).rejects.toThrow(/batchSize is 0/);
  const stop = new AbortController();
  const onProgress = () => stop.abort(new Error('enough'));
  const training = trainHead({ a: one, b: [Float32Array.of(2, 1)] }, { epochs: 1e6, signal: stop.signal, onProgress });
  await expect(training).rejects.toThrow('enough');
});

it('damaged files end in typed errors', async () => {
  const head = await trainHead({ a: [Float32Array.of(1, 2)], b: [Float32Array.of(2, 1)] }, { epochs: 1 });
  const bytes = head.save();
  for (let end = 0; end < bytes.length; end += 3) {
    expect(() => SoftmaxHead.load(bytes.slice(0, end)), `${end} bytes`).toThrow(ModelFormatError);
  }
  expect(() => NearestNeighbours.load(bytes)).toThrow(/is "mobilenet-webgpu\/head"/);
});
