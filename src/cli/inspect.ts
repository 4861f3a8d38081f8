import { parseArgs } from 'node:util';
import { type Inspection, inspect } from '../index.ts';
import type { Io } from './io.ts';
import { inputShapeHelp, inputShapesOf, readModel, usage } from './model-argument.ts';
import { table } from './table.ts';

const help = `usage: npm run inspect -- MODEL [--input-shape NAME=SIZES]… [--json]

Parameters, multiplications and the plan of a model; nothing is run.
MODEL is a file, or an id with random weights such as v2-1.0-224.
${inputShapeHelp}`;

export async function main(argv: readonly string[], io: Io): Promise<number> {
  const parsed = usage(io, help, () => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, 'input-shape': { type: 'string', multiple: true } },
    });
    return { json: values.json, positionals, shapes: inputShapesOf(values['input-shape']) };
  });
  if (!parsed) return 2;
  const [model, ...rest] = parsed.positionals;
  if (!model || rest.length > 0) {
    io.stderr.write(`${help}\n`);
    return 2;
  }
  const inspection = await inspect(await readModel(model, parsed.shapes));
  io.stdout.write(parsed.json ? `${JSON.stringify(inspection)}\n` : describe(inspection));
  return 0;
}

function describe(inspection: Inspection): string {
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
    table([['layer', 'kind', 'output', 'multiplications', 'parameters'], ...rows]),
    `${inspection.model}: ${inspection.parameters} parameters, ${million(inspection.macs)} multiplications ` +
      `(${million(inspection.macsWithNormalConvolutions)} with normal convolutions, ${ratio} ×), ` +
      `weights ${megabytes(inspection.weightBytes)}`,
    '',
    table(plans),
  ].join('\n');
}
