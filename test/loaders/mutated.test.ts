/** Small sound files of every format, with seeded damage anywhere: each loads, or ends in a typed error. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { writeOnnx } from '../../bench/writers/onnx.ts';
import { writeTflite } from '../../bench/writers/tflite.ts';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { MobileNetError } from '../../src/errors.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { seededUniform } from '../../src/graph/random.ts';
import { inferShapes } from '../../src/graph/shapes.ts';
import { loadGraph, type ModelFiles } from '../../src/loaders/index.ts';
import { stateOf, writeState } from '../support/safetensors-models.ts';
import { suite } from '../support/suite.ts';
import { writeTfjs } from '../support/tfjs-writer.ts';

const FILES = suite === 'full' ? 2000 : 200;
/** CPU seconds that one file may take: a quadratic algorithm takes minutes. */
const MOST_SECONDS = 5;

const saved = new Uint8Array(readFileSync('test/loaders/saved-model/saved-model-v1.safetensors'));

/** A file, where damage counts most: weights behind it mean nothing to a loader; and what lies beside it. */
interface Sound extends ModelFiles {
  readonly damageable?: number;
}

const weights = (...shape: number[]) => ({ shape, values: new Float32Array(shape.reduce((a, b) => a * b)).fill(0.5) });

function graphModel(): Sound {
  const conv = { strides: { ints: [1, 2, 2, 1] }, padding: { s: 'SAME' }, data_format: { s: 'NHWC' } };
  const { bytes, shard } = writeTfjs({
    inputs: { x: { shape: [1, 8, 8, 3] } },
    weights: { w: weights(3, 3, 3, 4), b: weights(4), axes: { shape: [2], values: [1, 2], dtype: 'int32' } },
    nodes: [
      { name: 'c', op: 'Conv2D', input: ['x', 'w'], attr: conv },
      { name: 'd', op: 'BiasAdd', input: ['c', 'b'] },
      { name: 'r', op: 'Relu6', input: ['d'] },
      { name: 'm', op: 'Mean', input: ['r', 'axes'], attr: { keep_dims: { b: true } } },
    ],
  });
  return { name: 'model.json', bytes, read: async () => shard };
}

function layersModel(): Sound {
  const layers = [
    ['Conv2D', { name: 'c', batch_input_shape: [null, 8, 8, 3], filters: 4, kernel_size: [3, 3], activation: 'relu' }],
    ['GlobalAveragePooling2D', { name: 'p' }],
    ['Dense', { name: 'd', units: 2, activation: 'softmax' }],
  ].map(([class_name, config]) => ({ class_name, config }));
  const shapes = { 'c/kernel': [3, 3, 3, 4], 'c/bias': [4], 'd/kernel': [4, 2], 'd/bias': [2] };
  const list = Object.entries(shapes).map(([name, shape]) => ({ name, shape, dtype: 'float32' }));
  const json = {
    format: 'layers-model',
    modelTopology: { class_name: 'Sequential', config: { name: 's', layers } },
    weightsManifest: [{ paths: ['w.bin'], weights: list }],
  };
  const shard = new Uint8Array(4 * (108 + 4 + 8 + 2));
  return { name: 'model.json', bytes: new TextEncoder().encode(JSON.stringify(json)), read: async () => shard };
}

function checkpoint(): Sound {
  const bytes = writeState(stateOf(buildArchitecture('v1-0.25-32', { classes: 3 }), 'v1', 'transformers'));
  return { name: 'model.safetensors', bytes, damageable: 8 + new DataView(bytes.buffer).getUint32(0, true) };
}

const small = (): Promise<Graph> => loadGraph({ name: 'small', bytes: saved });

const sound: Readonly<Record<string, () => Promise<Sound> | Sound>> = {
  ONNX: async () => ({ name: 'model.onnx', bytes: writeOnnx(await small()) }),
  'TensorFlow Lite': async () => ({ name: 'model.tflite', bytes: writeTflite(await small()) }),
  'TensorFlow.js graph model': graphModel,
  'TensorFlow.js layers model': layersModel,
  safetensors: checkpoint,
  'saved model': () => ({ name: 'saved.safetensors', bytes: saved }),
};

const joined = (a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> => {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
};

/** One to four changes: bits, bytes, whole numbers at their ends, pieces left out, doubled or cut off. */
function damage({ bytes, damageable = bytes.length }: Sound, seed: number): Uint8Array {
  const random = seededUniform(seed);
  const below = (end: number) => Math.floor(random() * end);
  let out = bytes.slice();
  for (let change = 0; change <= below(4); change++) {
    const at = below(Math.min(damageable, out.length));
    const length = 1 + below(16);
    const [before, after] = [out.subarray(0, at), out.subarray(at + length)];
    switch (below(6)) {
      case 0:
        out[at]! ^= 1 << below(8);
        break;
      case 1:
        out[at] = below(256);
        break;
      case 2:
        out.set(
          [0x00, 0xff, 0x7f, 0x80].map((byte, i) => (i === 3 ? byte : 0xff * below(2))).slice(0, out.length - at),
          at,
        );
        break;
      case 3:
        out = joined(before, after);
        break;
      case 4:
        out = joined(out.subarray(0, at + length), out.subarray(at));
        break;
      default:
        if (below(4) === 0) out = out.slice(0, at);
    }
  }
  return out;
}

describe.each(Object.keys(sound))('%s', (format) => {
  test(`${FILES} damaged files load or end in a typed error`, async () => {
    const whole = await sound[format]!();
    expect((await loadGraph(whole)).nodes.length).toBeGreaterThan(1);
    let refused = 0;
    for (let seed = 1; seed <= FILES; seed++) {
      const start = process.cpuUsage();
      try {
        inferShapes(await loadGraph({ ...whole, bytes: damage(whole, seed) }));
      } catch (error) {
        if (!(error instanceof MobileNetError))
          throw new Error(`damage of seed ${seed}: no typed error`, { cause: error });
        refused++;
      }
      const { user, system } = process.cpuUsage(start);
      expect((user + system) / 1e6, `CPU seconds of the damage of seed ${seed}`).toBeLessThan(MOST_SECONDS);
    }
    expect(refused).toBeGreaterThan(FILES / 10);
  });
});
