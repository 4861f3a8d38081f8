import { stat, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { UsageError } from '../errors.ts';
import { hasByteWeights } from '../graph/layers.ts';
import { type Graph, load, type Model, outputShapes, seededInputs } from '../node/index.ts';
import { oneOf, runToExitCode } from './command.ts';
import type { Io } from './io.ts';
import { inputShapeHelp, inputShapesOf, oneModel, readModel } from './model-argument.ts';

const weightTypes = ['float32', 'float16', 'int8'] as const;

const help = `usage: npm run convert -- MODEL --out FILE.safetensors [--weights float32|float16|int8]
       [--device auto|webgpu|reference] [--input-shape NAME=SIZES]… [--json]

Writes a model as one file that opens without loader and passes, and streams onto the GPU.
--weights float16 stores the weights of convolutions and fully connected layers as halves: half the download. int8: as bytes
with a scale for each output, a quarter of the download and, where it is opened, of the memory on the GPU. The
network is then run on 8 inputs of random numbers as it was and as it is stored, and its outputs are compared.
Without --weights a quantised file is kept on integers, to the bit, a saved model as its weights are, and every other in float32.
${inputShapeHelp}`;

const INPUTS = 8;

function parse(argv: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      weights: { type: 'string' },
      device: { type: 'string', default: 'auto' },
      'input-shape': { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
    },
  });
  if (!values.out?.endsWith('.safetensors')) throw new UsageError('--out FILE.safetensors is missing');
  return {
    model: oneModel(positionals),
    out: values.out,
    weights: values.weights === undefined ? undefined : oneOf('weights', values.weights, weightTypes),
    device: oneOf('device', values.device, ['auto', 'webgpu', 'reference'] as const),
    shapes: inputShapesOf(values['input-shape']),
    json: values.json,
  };
}

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

async function run({ model, out, device, shapes, json, ...given }: ReturnType<typeof parse>, io: Io): Promise<number> {
  const graph = await readModel(model, shapes);
  // A CPU engine runs quantised files on its own: what is written does not depend on whether there is one.
  const before = await load(graph, {
    device,
    precision: given.weights ? 'float32' : 'auto',
    tuning: 'off',
    cpu: false,
  });
  try {
    const bytes = await before.save(given);
    const weights =
      given.weights ??
      (before.precision === 'int8' ? 'integers' : graph.nodes.some(hasByteWeights) ? 'int8' : 'float32');
    await writeFile(out, bytes);
    const size = await stat(model).then(
      (found) => (found.isFile() ? found.size : null),
      () => null,
    );
    const compared =
      given.weights && given.weights !== 'float32' ? await compare(graph, before, bytes, device, io.signal) : null;
    const result = { file: out, bytes: bytes.length, from: size, weights, compared };
    io.stdout.write(json ? `${JSON.stringify(result)}\n` : describe(result));
    return 0;
  } finally {
    before.dispose();
  }
}

/** What halves or bytes change, over inputs of random numbers: outputs of which the best class is the same, and the largest difference. */
interface Comparison {
  readonly inputs: number;
  readonly sameBest: number;
  /** Beside the largest value of the output. */
  readonly largestDifference: number;
}

async function compare(
  graph: Graph,
  before: Model,
  bytes: Uint8Array,
  device: 'auto' | 'webgpu' | 'reference',
  signal: AbortSignal,
): Promise<Comparison> {
  const after = await load(bytes, { device, tuning: 'off' });
  try {
    const [output] = outputShapes(graph).keys();
    let sameBest = 0;
    let largestDifference = 0;
    for (let seed = 1; seed <= INPUTS; seed++) {
      const inputs = seededInputs(graph, seed);
      const [was, is] = [
        (await before.run(inputs, { signal }))[output!]!,
        (await after.run(inputs, { signal }))[output!]!,
      ];
      const best = (values: Float32Array) => values.indexOf(Math.max(...values));
      if (best(was) === best(is)) sameBest++;
      const largest = Math.max(...was.map(Math.abs), Number.MIN_VALUE);
      largestDifference = Math.max(largestDifference, ...was.map((value, i) => Math.abs(value - is[i]!) / largest));
    }
    return { inputs: INPUTS, sameBest, largestDifference };
  } finally {
    after.dispose();
  }
}

function describe(result: {
  readonly file: string;
  readonly bytes: number;
  readonly from: number | null;
  readonly compared: Comparison | null;
}): string {
  const { file, bytes, from, compared } = result;
  const megabytes = (value: number) => `${(value / 1e6).toFixed(2)} MB`;
  const lines = [`${file}: ${megabytes(bytes)}${from === null ? '' : `, from ${megabytes(from)}`}`];
  if (compared) {
    const { inputs, sameBest, largestDifference } = compared;
    lines.push(
      `the best of the first output is the same for ${sameBest} of ${inputs} random inputs; ` +
        `values differ by ${(100 * largestDifference).toFixed(2)} % of the largest at most`,
    );
  }
  return `${lines.join('\n')}\n`;
}
