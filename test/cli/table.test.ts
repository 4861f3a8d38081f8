import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { main } from '../../src/cli/inspect.ts';
import { table } from '../../src/cli/table.ts';
import { prepare } from '../../src/passes/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { runMain } from '../support/command.ts';

it('keeps columns in line, and 60 characters of a cell', () => {
  const long = `MobilenetV2/expand/Relu6;${'a'.repeat(700)};MobilenetV2/expand/Conv2D`;
  const lines = table([
    ['name', 'kind'],
    [long, 'x'],
    ['b'.repeat(60), 'y'],
  ]).split('\n');
  expect(lines[1]).toBe(`${long.slice(0, 30)}…${long.slice(-29)}  x`);
  expect(lines[2]).toBe(`${'b'.repeat(60)}  y`);
  expect(lines[0]).toBe(`${'name'.padEnd(60)}  kind`);
});

it('takes from the widest columns until lines fit a terminal', () => {
  const rows = [
    ['layer', 'kind', 'output'],
    ['MobilenetV2/expanded_conv_16/project/BatchNorm', 'pointwise', '1×7×7×320'],
    ['x', 'other', '1×1×1×1001'],
  ];
  for (const columns of [30, 40, 60, 200]) {
    const lines = table(rows, columns).trimEnd().split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    // Columns stay in line, and a name keeps its ends.
    expect(new Set(lines.map((line) => line.search(/(kind|pointwise|other)/))).size).toBe(1);
    expect(lines[1]).toMatch(/^Mob.*\S/);
  }
  expect(table(rows, 40)).toContain('…');
  expect(table(rows, 200)).not.toContain('…');
});

it('inspect prints a file whose tensors have names of 700 characters in lines that fit; JSON has them whole', async () => {
  const graph = prepare(buildArchitecture('v1-0.25-32'));
  const [first] = graph.nodes;
  const name = `first;${'n'.repeat(700)};last`;
  const renamed = {
    ...graph,
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((input) => (input === first!.output ? name : input)),
      ...(node === first ? { name, output: name } : {}),
    })),
  };
  const folder = mkdtempSync(join(tmpdir(), 'names-'));
  try {
    const file = join(folder, 'model.tflite');
    writeFileSync(file, writeTflite(renamed));
    const text = await runMain(main, file);
    expect(text.code).toBe(0);
    expect(Math.max(...text.stdout.split('\n').map((line) => line.length))).toBeLessThan(160);
    expect(text.stdout).toMatch(/first;n+…n+;last/);
    expect((await runMain(main, file, '--json')).stdout).toContain(name);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
