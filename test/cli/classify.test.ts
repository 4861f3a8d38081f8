import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCanvas } from '@napi-rs/canvas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { main } from '../../src/cli/classify.ts';
import { decode } from '../../src/cli/decode.ts';
import { type Graph, load, type Node, UsageError } from '../../src/index.ts';
import { alignLabels } from '../../src/loaders/sidecars/labels.ts';
import { runPasses } from '../../src/passes/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { runMain } from '../support/command.ts';
import { signedPixels as image } from '../support/image-rule.ts';

let folder = '';

const classify = (...argv: string[]) => runMain(main, ...argv);

/** A picture of waves, which no two images of the network see alike. */
function waves(width: number, height: number) {
  const data = Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) => 128 + 100 * Math.sin(i * i * 0.01));
  return { width, height, data };
}

const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'classify-'));
  writeFileSync(at('model.tflite'), writeTflite(runPasses(buildArchitecture('v1-0.25-64', { classes: 4 }))));
  writeFileSync(at('labels.txt'), 'ash\nbirch\ncedar\ndogwood\n');
  writeFileSync(at('many.txt'), 'a\nb\nc\nd\ne\nf\n');
  const canvas = createCanvas(40, 30);
  const context = canvas.getContext('2d');
  context.fillStyle = 'teal';
  context.fillRect(5, 5, 20, 20);
  for (const format of ['png', 'jpeg', 'webp'] as const)
    writeFileSync(at(`picture.${format}`), canvas.toBuffer(`image/${format}` as 'image/png'));
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('classify', () => {
  it('prints a JSON line a picture, with probabilities, on the CPU where asked', async () => {
    const pictures = ['png', 'jpeg', 'webp'].map((format) => at(`picture.${format}`));
    const model = [
      '--model',
      at('model.tflite'),
      '--labels',
      at('labels.txt'),
      '--range=-1,1',
      '--device',
      'reference',
    ];
    const { code, stdout } = await classify(...model, '--top', '3', '--json', ...pictures);
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ file }) => file)).toEqual(pictures);
    for (const { device, adapter, top } of lines) {
      expect([device, adapter]).toEqual(['reference', null]);
      expect(top).toHaveLength(3);
      for (const { label, index, score } of top) {
        expect(label).toBe(['ash', 'birch', 'cedar', 'dogwood'][index]);
        expect(score).toBeGreaterThan(0);
        expect(score).toBeLessThanOrEqual(1);
      }
      expect(top[0].score).toBeGreaterThanOrEqual(top[1].score);
    }
  });

  it('takes a picture rule as text, as JSON in a file, and of what lies beside the model', async () => {
    const args = ['--model', at('model.tflite'), '--device', 'reference', '--json', at('picture.png')];
    const topOf = async (...rule: string[]) => {
      const { code, stdout, stderr } = await classify(...rule, ...args);
      expect([code, stderr]).toEqual([0, '']);
      return JSON.parse(stdout).top;
    };
    const rule = 'mean=0.485/0.456/0.406,std=0.229/0.224/0.225,resize=80,crop=64,filter=bicubic';
    const top = await topOf('--image', rule);
    // The same by the library: scale and offset worked out by hand.
    const model = await load(readFileSync(at('model.tflite')), { device: 'reference' });
    const picture = await decode(at('picture.png'));
    const byHand = {
      ...image,
      fit: 'crop',
      cropFraction: 0.8,
      filter: 'bicubic',
      scale: [0.229, 0.224, 0.225].map((std) => 1 / 255 / std),
      offset: [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225],
    } as const;
    const expected = await model.classify(picture, { image: byHand });
    expect(top.map(({ index }: { index: number }) => index)).toEqual(expected.map(({ index }) => index));
    top.forEach(({ score }: { score: number }, i: number) => {
      expect(score).toBeCloseTo(expected[i]!.score, 6);
    });
    // Another rule gives other scores.
    expect(await topOf('--image', 'mean=0.5,std=0.5')).not.toEqual(top);
    expect(await topOf('--image', 'mean=0.5,std=0.5')).toEqual(await topOf('--range=-1,1'));
    const json = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], resize: 80, crop: 64, filter: 'bicubic' };
    writeFileSync(at('rule.json'), JSON.stringify(json));
    expect(await topOf('--image', at('rule.json'))).toEqual(top);
    const timm = { mean: json.mean, std: json.std, crop_pct: 0.8, interpolation: 'bicubic', input_size: [3, 64, 64] };
    writeFileSync(at('config.json'), JSON.stringify({ pretrained_cfg: timm, architecture: 'mobilenetv1_100' }));
    expect(await topOf('--image', at('config.json'))).toEqual(top);
    expect(await topOf()).toEqual(top);
    rmSync(at('config.json'));
    const refused = await classify('--image', 'mean=0.5,std=0.5', '--range=-1,1', ...args);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('pass one of them')]);
    const wrong = await classify('--image', 'mean=0.5,crop=224,resize=256', ...args);
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("crop=224, expected the input's side, 64")]);
  });

  it('opens the only model of a folder, and names several', async () => {
    const args = ['--range=-1,1', '--device', 'reference', '--json', at('picture.png')];
    const one = await classify('--model', folder, ...args);
    expect(one.code).toBe(0);
    // Named by the labels.txt beside it.
    expect(JSON.parse(one.stdout).top[0].label).toMatch(/ash|birch|cedar|dogwood/);
    writeFileSync(at('second.onnx'), '');
    const two = await classify('--model', folder, ...args);
    rmSync(at('second.onnx'));
    expect([two.code, two.stderr]).toEqual([2, expect.stringMatching(/2 models in .*model\.tflite, second\.onnx/)]);
  });

  it('goes on after a bad picture, and ends with 1', async () => {
    const args = ['--model', at('model.tflite'), '--range=0,1', '--device', 'reference', '--json'];
    const { code, stdout, stderr } = await classify(...args, 'README.md', at('missing.png'), at('picture.png'));
    expect(code).toBe(1);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/README\.md could not be decoded/);
    expect(stderr).toMatch(/missing\.png/);
  });

  it('says what it needs', async () => {
    expect((await classify('--help')).stdout).toContain('without --model it is imagenet/v1-0.25');
    expect((await classify('--model', at('model.tflite'))).code).toBe(2);
    expect((await classify('--model', at('model.tflite'), '--device', 'tpu', 'x.png')).stderr).toMatch(
      /--device is "tpu"/,
    );
    const args = ['--model', at('model.tflite'), '--device', 'reference', at('picture.png')];
    expect((await classify(...args)).stderr).toMatch(/does not say how a picture becomes its input/);
    expect((await classify('--labels', at('many.txt'), '--range=0,1', ...args)).stderr).toMatch(
      /6 labels and the model 4 classes/,
    );
  });

  it('adds the features that the last layer reads where asked', async () => {
    const args = ['--model', at('model.tflite'), '--range=-1,1', '--device', 'reference', '--top', '4', '--embedding'];
    const { code, stdout } = await classify(...args, '--json', at('picture.png'));
    expect(code).toBe(0);
    const { top, embedding } = JSON.parse(stdout);
    expect(embedding).toHaveLength(256);
    // The last layer of V1 is a 1×1 convolution of the pooled features; then the softmax of what it gives.
    const classifier = runPasses(buildArchitecture('v1-0.25-64', { classes: 4 })).nodes.find(
      (node) => node.op === 'fully-connected' || (node.op === 'conv2d' && node.outChannels === 4),
    ) as Node & { weights: Float32Array; bias: Float32Array };
    const logits = [0, 1, 2, 3].map((k) =>
      embedding.reduce(
        (sum: number, value: number, c: number) => sum + value * classifier.weights[c * 4 + k]!,
        classifier.bias[k]!,
      ),
    );
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    for (const { index, score } of top) expect(score).toBeCloseTo(Math.exp(logits[index]!) / total, 5);
    const text = await classify(...args, at('picture.png'));
    expect(text.code).toBe(2);
    expect(text.stderr).toMatch(/--embedding needs --json/);
  });

  it('reads label files with a line more or less, with a byte-order mark, and says what it left out', async () => {
    const model = ['--model', at('model.tflite'), '--range=-1,1', '--device', 'reference', '--json', at('picture.png')];
    const labelsOf = async (text: string) => {
      writeFileSync(at('other.txt'), text);
      const { code, stdout, stderr } = await classify('--labels', at('other.txt'), ...model);
      expect(code).toBe(0);
      const top: { index: number; label: string }[] = JSON.parse(stdout).top;
      return [top.sort((a, b) => a.index - b.index).map(({ label }) => label), stderr];
    };
    const names = ['ash', 'birch', 'cedar', 'dogwood'];
    expect(await labelsOf('\ufeffdummy\r\nash\r\nbirch\r\ncedar\r\ndogwood\r\n\r\n')).toEqual([names, '']);
    expect(await labelsOf('\ufeffbirch\ncedar\ndogwood')).toEqual([['background', ...names.slice(1)], '']);
    const [labels, said] = await labelsOf('tree\nash\nbirch\ncedar\ndogwood\n');
    expect(labels).toEqual(names);
    expect(said).toContain('its first, "tree", is left out');
  });

  it('aligns labels on the background', () => {
    const trees = ['ash', 'birch'];
    expect(alignLabels(trees, 2, 'l')).toEqual(trees);
    expect(alignLabels(['background', ...trees], 2, 'l')).toEqual(trees);
    expect(alignLabels(trees, 3, 'l')).toEqual(['background', ...trees]);
    for (const name of ['Background', '__background__', 'dummy', '???', '', '0: background', '0 background']) {
      const silent = (message: string) => expect.unreachable(message);
      expect(alignLabels([name, ...trees], 2, 'l', silent)).toEqual(trees);
      expect(alignLabels([...trees, name], 2, 'l', silent)).toEqual(trees);
      // As many as the classes: nothing is left out.
      expect(alignLabels([name, ...trees], 3, 'l', silent)).toEqual([name, ...trees]);
    }
    const said: string[] = [];
    expect(alignLabels(['oak', ...trees], 2, 'l.txt', (message) => said.push(message))).toEqual(trees);
    expect(said).toEqual(['l.txt has a line more than the classes: its first, "oak", is left out']);
    expect(() => alignLabels(['oak', 'elm', ...trees], 2, 'l')).toThrow(/4 labels and the model 2 classes/);
    // It has its background: what is missing is another class.
    expect(() => alignLabels(['background', ...trees], 4, 'l')).toThrow(/3 labels and the model 4 classes/);
    expect(() => alignLabels(trees, 4, 'l')).toThrow(/2 labels and the model 4 classes/);
    expect(() => alignLabels(trees, 9, 'l')).toThrow(/2 labels/);
  });
});

describe('the embedding', () => {
  const embed = async (id: string) => {
    const graph = buildArchitecture(id);
    const model = await load(graph, { device: 'reference', embedding: true });
    const { top, embedding } = await model.embed(waves(50, 40), { image, top: 3 });
    expect(await model.classify(waves(50, 40), { image, top: 3 })).toEqual(top);
    const plain = await load(graph, { device: 'reference' });
    expect(await plain.classify(waves(50, 40), { image, top: 3 })).toEqual(top);
    return { model, embedding };
  };

  it.each([
    ['v1-0.25-32', 256],
    ['v2-0.35-32', 1280],
    ['v3-small-0.5-32', 1024],
    ['v4-conv-small-0.35-32', 1280],
  ])('of %s has %i features, which give the same classes', async (id, features) => {
    expect((await embed(id)).embedding).toHaveLength(features);
  });

  it('is there in a saved model, and can be added to one', async () => {
    const { model, embedding } = await embed('v2-0.35-32');
    const plain = await load('v2-0.35-32', { device: 'reference' });
    for (const [bytes, options] of [
      [await model.save(), {}],
      [await model.save(), { embedding: true }],
      [await plain.save(), { embedding: true }],
    ] as const) {
      const opened = await load(bytes, { device: 'reference', ...options });
      const again = await opened.embed(waves(50, 40), { image });
      for (const [i, value] of again.embedding.entries()) expect(value).toBeCloseTo(embedding[i]!, 4);
    }
  });

  it('needs to be asked for, and a classifier', async () => {
    const plain = await load('v1-0.25-32', { device: 'reference' });
    await expect(plain.embed(waves(4, 4), { image })).rejects.toThrow(/load it with the option "embedding"/);
    const graph = buildArchitecture('v1-0.25-32');
    const refused = (changed: Graph) => load(changed, { device: 'reference', embedding: true });
    const [first] = graph.nodes;
    const cut = { ...graph, nodes: [first!], outputs: [{ name: 'features', tensor: first!.output }] };
    await expect(refused(cut)).rejects.toThrow(UsageError);
    await expect(refused(cut)).rejects.toThrow(/no embedding: its output comes from node ".*" \(conv2d\)/);
    const two = { ...graph, outputs: [...graph.outputs, { name: 'stem', tensor: first!.output }] };
    await expect(refused(two)).rejects.toThrow(/has the outputs logits, stem/);
    const softmax: Graph = {
      name: 'softmax',
      inputs: [{ name: 'x', shape: [1, 1, 1, 3] }],
      nodes: [{ op: 'softmax', name: 's', inputs: ['x'], output: 'y' }],
      outputs: [{ name: 'y', tensor: 'y' }],
    };
    await expect(refused(softmax)).rejects.toThrow(/its output comes from an input/);
  });
});
