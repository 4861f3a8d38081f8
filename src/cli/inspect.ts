import { parseArgs } from 'node:util';
import { type Inspection, inspect } from '../index.ts';
import { checkChoice, runToExitCode } from './command.ts';
import type { Io } from './io.ts';
import { inputShapeHelp, inputShapesOf, oneModel, readModel } from './model-argument.ts';
import { table } from './table.ts';

const help = `usage: npm run inspect -- MODEL [--precision auto|float32|float16|float16-storage|int8] [--weights auto|int8]
                          [--input-shape NAME=SIZES]… [--json]

Parameters, multiplications and the plan of a model; nothing is run.
MODEL is a file, or an id with random weights such as v2-1.0-224.
${inputShapeHelp}`;

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

function parse(argv: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      precision: { type: 'string', default: 'auto' },
      weights: { type: 'string', default: 'auto' },
      'input-shape': { type: 'string', multiple: true },
    },
  });
  const choice = checkChoice({ precision: values.precision, weights: values.weights });
  return { model: oneModel(positionals), choice, json: values.json, shapes: inputShapesOf(values['input-shape']) };
}

async function run({ model, choice, json, shapes }: ReturnType<typeof parse>, io: Io): Promise<number> {
  const inspection = await inspect(await readModel(model, shapes), choice);
  io.stdout.write(json ? `${JSON.stringify(inspection)}\n` : describe(inspection, io.terminal?.columns));
  return 0;
}

function describe(inspection: Inspection, columns: number | undefined): string {
  const million = (value: number) => `${(value / 1e6).toFixed(1)} M`;
  const megabytes = (value: number) => `${(value / 1e6).toFixed(1)} MB`;
  const rows = inspection.layers.map(({ name, kind, shape, multiplications, parameters }) => [
    name,
    kind,
    shape.join('×'),
    multiplications ? million(multiplications) : '',
    parameters ? String(parameters) : '',
  ]);
  const plans = [
    ['plan', 'dispatches', 'submits', 'pipelines', 'arena', 'peak', 'activations moved'],
    ...(['unfused', 'fused'] as const).map((kind) => {
      const plan = kind === 'fused' ? inspection.fused : inspection;
      const bytes = [plan.arenaBytes, plan.peakBytes, plan.activationBytes].map(megabytes);
      return [kind, String(plan.dispatches), String(plan.submits), String(plan.pipelines), ...bytes];
    }),
  ];
  const ratio = (inspection.macsWithNormalConvolutions / inspection.macs).toFixed(2);
  return [
    table([['layer', 'kind', 'output', 'multiplications', 'parameters'], ...rows], columns),
    `${inspection.model}: ${inspection.parameters} parameters, ${million(inspection.macs)} multiplications ` +
      `(${million(inspection.macsWithNormalConvolutions)} with normal convolutions, ${ratio} ×), ` +
      `weights ${megabytes(inspection.weightBytes)}`,
    ...inspection.assumptions.map((assumption) => `assumed: ${assumption}`),
    '',
    table(plans, columns),
  ].join('\n');
}
