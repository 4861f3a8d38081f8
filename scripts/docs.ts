/** Prints the parts of docs/ that are made from the code: node scripts/docs.mjs kernels | supported | devices | classes | peers. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildArchitecture } from '../src/architectures/index.ts';
import type { Io } from '../src/cli/io.ts';
import { networkCost } from '../src/graph/cost.ts';
import { operations as onnxOperations } from '../src/loaders/onnx/operations.ts';
import { operations as graphOperations } from '../src/loaders/tfjs/graph-operations.ts';
import { layers } from '../src/loaders/tfjs/layer-operations.ts';
import { operators } from '../src/loaders/tflite/operations.ts';
import { customOperators, rareOperators } from '../src/loaders/tflite/rare-operations.ts';
import { classes } from './classes.ts';
import { table } from './markdown.ts';
import { peers, peersSummary } from './peers.ts';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path: string): string => readFileSync(at(path), 'utf8');

const made = (command: string): string => `<!-- Made by "node scripts/docs.mjs ${command}". -->`;

/** The operation of src/graph/ops.ts that a shader computes; those without one are stages of the engine's own. */
const operationOf: readonly (readonly [shader: RegExp, operation: string])[] = [
  [/^conv-transpose/, 'ConvTranspose2d'],
  [/^conv-(?!project|stem)/, 'Conv2d'],
  [/^activation/, 'Activation'],
  [/^add/, 'Add'],
  [/^affine/, 'Affine'],
  [/^clip/, 'Clip'],
  [/^concat/, 'Concat'],
  [/^(pool-)?fully-connected/, 'FullyConnected'],
  [/^global-average-pool/, 'GlobalAveragePool'],
  [/^l2-normalize/, 'L2Normalize'],
  [/^multiply/, 'Multiply'],
  [/^pool$/, 'Pool'],
  [/^prelu/, 'Prelu'],
  [/^reshape/, 'Reshape'],
  [/^resize/, 'Resize'],
  [/^softmax/, 'Softmax'],
  [/^transpose/, 'Transpose'],
];

/** The comment before an operation's type, without its stars. */
function mathsOf(operation: string, ops: string): string {
  const end = ops.search(new RegExp(`\\nexport (interface|type) ${operation}\\b`));
  const comment = ops.slice(ops.lastIndexOf('/**', end), end);
  return comment
    .replace(/^\/\*\*|\*\/\s*$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join('\n')
    .trim();
}

function kernels(): string {
  const ops = read('src/graph/ops.ts');
  const sections = readdirSync(at('shaders'))
    .filter((name) => name.endsWith('.wgsl') && name !== 'prelude.wgsl')
    .sort()
    .map((name) => {
      const stem = name.replace('.wgsl', '');
      const lines = read(`shaders/${name}`).split('\n');
      const end = lines.findIndex((line) => !line.startsWith('//'));
      const header = lines.slice(0, end).map((line) => line.replace(/^\/\/ ?/, ''));
      const operation = operationOf.find(([pattern]) => pattern.test(stem))?.[1];
      return [
        `## ${stem}`,
        '',
        `[The shader](../shaders/${name}), ${lines.length} lines.`,
        ...(operation
          ? [
              '',
              `The maths, \`${operation}\` of [ops.ts](../src/graph/ops.ts):`,
              '',
              ...mathsOf(operation, ops)
                .split('\n')
                .map((line) => `> ${line}`.trim()),
            ]
          : []),
        '',
        '```text',
        ...header,
        '```',
      ].join('\n');
    });
  return [
    '# How each kernel works',
    '',
    made('kernels'),
    '',
    'Each shader is one file that is read from top to bottom. Here is what each computes, the layout of its buffers and what one invocation does, beside the maths that it has to give; the [reference](../src/reference/) has that maths as plain loops. What several shaders share is in [fragments](../shaders/fragments/), taken in by `#include`; `#if` and `#unroll` are resolved before the shader is compiled ([preprocess.ts](../src/wgsl/preprocess.ts)).',
    '',
    sections.join('\n\n'),
    '',
  ].join('\n');
}

/** Those of modules that are fetched where a file has them, too. */
const onnx = [...onnxOperations.keys(), 'ConvTranspose', 'Resize', 'Split', 'Upsample'];

const codes = (names: Iterable<string>): string =>
  [...names]
    .sort()
    .map((name) => `\`${name}\``)
    .join(', ');

const ids = [
  ...['v1-1.0-224', 'v1-0.25-224', 'v2-1.0-224', 'v2-1.4-224', 'v3-large-1.0-224', 'v3-small-1.0-224'],
  'v4-conv-small-224',
];

function supported(): string {
  const rows = ids.map((id) => {
    const { parameters, macs, macsWithNormalConvolutions } = networkCost(buildArchitecture(id));
    const million = (value: number) => `${(value / 1e6).toFixed(1)} M`;
    return [
      `\`${id}\``,
      parameters.toLocaleString('en'),
      million(macs),
      `${(macsWithNormalConvolutions / macs).toFixed(2)} ×`,
    ];
  });
  const tflite = [...operators.values(), ...rareOperators.values()].map(([name]) => name);
  return [
    '# Supported models and operators',
    '',
    made('supported'),
    '',
    'A file whose operators are all here loads; another one is refused with the name of the first that is not (`UnsupportedOpError`). Real files, and how far their outputs are from their own runtimes, are in [models.md](models.md).',
    '',
    '## Architectures',
    '',
    'By id, with random weights, in any α and size; files of these networks in any format below. The last column: what the same network would cost with normal convolutions.',
    '',
    table(['id', 'parameters', 'multiplications', 'all-normal'], rows),
    '',
    '## ONNX',
    '',
    `${onnx.length} operators, from operator set 7; quantised ones too (QuantizeLinear, DequantizeLinear, QLinear…): ${codes(onnx)}. A network that ends in \`ArgMax\` is cut before it.`,
    '',
    '## TensorFlow Lite',
    '',
    `${tflite.length} operators, and ${customOperators.size} custom: ${codes([...tflite, ...customOperators.keys()])}. A decoder at the end (\`TFLite_Detection_PostProcess\`) is not run: the file ends at what it reads.`,
    '',
    '## TensorFlow.js',
    '',
    `Graph models, ${graphOperations.size} operations: ${codes(graphOperations.keys())}.`,
    '',
    `Layers models, ${layers.size} layers: ${codes(layers.keys())}.`,
    '',
    '## safetensors',
    '',
    'State dicts named as timm, torchvision and transformers name MobileNets, with config.json; and what `model.save()` writes.',
    '',
  ].join('\n');
}

interface DeviceFile {
  readonly device: string;
  readonly system: string;
  readonly result: {
    readonly model: string;
    readonly version: string;
    readonly browser: string;
    readonly adapter: string;
    readonly engines: readonly {
      readonly name: string;
      readonly median: number;
      readonly interval: readonly number[] | null;
    }[];
    readonly cold: readonly (number | null)[];
    readonly framesPerSecond: number | null;
  };
}

function devices(): string {
  const files = readdirSync(at('docs/devices')).filter((name) => name.endsWith('.json') && name !== 'schema.json');
  const rows = files.sort().map((name) => {
    const { device, system, result } = JSON.parse(read(`docs/devices/${name}`)) as DeviceFile;
    const timeOf = (engine: string) => {
      const found = result.engines.find((one) => one.name === engine);
      if (!found) return '–';
      return `${found.median} ms${found.interval ? ` (${found.interval.join(' to ')})` : ''}`;
    };
    const first = result.cold[2] ?? null;
    return [
      `[${device}](devices/${name})`,
      `${result.browser}, ${system}`,
      result.model,
      timeOf('WebGPU'),
      timeOf('CPU engine'),
      first === null ? '–' : `${first} ms`,
      result.framesPerSecond === null ? '–' : String(result.framesPerSecond),
    ];
  });
  return [
    '# Results of devices',
    '',
    made('devices'),
    '',
    'Medians of an inference with upload and readback, and in brackets where the true median lies with 95 %; the first result is counted from the click on.',
    '',
    table(['device', 'browser', 'model', 'WebGPU', 'CPU engine', 'first result', 'frames a second'], rows),
    '',
    '## Add yours',
    '',
    '1. Open the page (`npm start`, or wherever it is published), go to Compare, choose "MobileNetV2 ×1.0 at 224²", 12 runs, and press Run while nothing else runs.',
    '2. Press "Copy as JSON", and put it as `result` into a file of `docs/devices/`, beside `device` (what a shop calls it) and `system`, as [schema.json](devices/schema.json) has it.',
    '3. `node scripts/docs.mjs devices > docs/devices.md`, and open a pull request with both files.',
    '',
  ].join('\n');
}

const documents: Readonly<Record<string, () => string | Promise<string>>> = {
  kernels,
  supported,
  devices,
  classes: async () => `# Kernels that devices start with\n\n${made('classes')}\n\n${await classes(table)}`,
  peers,
  'peers-summary': peersSummary,
};

export async function main([name = '']: readonly string[], { stdout, stderr }: Io): Promise<number> {
  const make = Object.hasOwn(documents, name) ? documents[name] : undefined;
  if (!make) {
    stderr.write(`usage: node scripts/docs.mjs ${Object.keys(documents).join(' | ')}\n`);
    return 2;
  }
  stdout.write(await make());
  return 0;
}
