/** A Teachable Machine export as files, as an address, and in the command `classify`. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { imageToTensor } from '../../../src/images/image-to-tensor.ts';
import { readGraph } from '../../../src/load.ts';
import { runGraph } from '../../../src/reference/index.ts';
import { labels, size, writeTeachableMachine } from '../../support/teachable-machine.ts';

const folder = mkdtempSync(join(tmpdir(), 'teachable-'));
let files: Record<string, Uint8Array>;
/** What TensorFlow.js says of the picture. */
let expected: Float32Array;
let best: number;

beforeAll(async () => {
  ({ files, scores: expected, best } = await writeTeachableMachine(folder));
});

afterAll(() => rmSync(folder, { recursive: true }));

it('opens as a list of files, in any order', async () => {
  const list = ['metadata.json', 'weights.bin', 'model.json'].map((name) => new File([files[name]! as never], name));
  const graph = await readGraph(list);
  expect(graph.labels).toEqual(labels);
  const renamed = [list[0]!, list[1]!, new File([files['model.json']! as never], 'model (1).json')];
  expect((await readGraph(renamed)).labels).toEqual(labels);
});

it('opens from an address, and its image rule gives what TensorFlow.js gives', async () => {
  const server = createServer((request, response) => {
    const bytes = files[request.url!.slice('/m/'.length)];
    response.writeHead(bytes ? 200 : 404).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const graph = await readGraph(`http://127.0.0.1:${port}/m/model.json`);
    expect(graph.labels).toEqual(labels);
    const context = createCanvas(48, size).getContext('2d');
    context.drawImage(await loadImage(join(folder, 'picture.png')), 0, 0);
    const tensor = imageToTensor(context.getImageData(0, 0, 48, size), graph.image!, [size, size], 3);
    const found = runGraph(graph, { [graph.inputs[0]!.name]: tensor })[graph.outputs[0]!.name]!.data;
    for (const [i, score] of found.entries()) expect(Math.abs(score - expected[i]!)).toBeLessThan(1e-5);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

it('takes a page in place of metadata.json as its absence, and damage as damage', async () => {
  const open = (metadata: string) =>
    readGraph([
      new File([files['model.json']! as never], 'model.json'),
      new File([files['weights.bin']! as never], 'weights.bin'),
      new File([metadata], 'metadata.json'),
    ]);
  for (const page of ['<!doctype html><title>App</title>', '\ufeff\n  <html></html>']) {
    const graph = await open(page);
    expect([graph.labels, graph.image]).toEqual([undefined, undefined]);
  }
  await expect(open('{"labels": [')).rejects.toThrow('metadata.json');
  await expect(open('')).rejects.toThrow('metadata.json');
});

it('is classified on the command line, labels and rule from metadata.json', async () => {
  const args = ['--model', join(folder, 'model.json'), '--device', 'reference', '--json', join(folder, 'picture.png')];
  const { stdout } = await promisify(execFile)(process.execPath, ['src/cli/run.mjs', 'classify', ...args], {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
  });
  const [first] = JSON.parse(stdout).top;
  expect([first.index, first.label]).toEqual([best, labels[best]]);
  expect(Math.abs(first.score - expected[best]!)).toBeLessThan(1e-4);
});
