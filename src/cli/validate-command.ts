import { parseArgs } from 'node:util';
import type { ValidationReport } from '../index.ts';
import { graphFor } from '../integers.ts';
import { resolveChoice } from '../options.ts';
import { checkChoice, oneOf, runToExitCode } from './command.ts';
import { browserNames, noInstallHelp } from './find-browsers.ts';
import type { Io } from './io.ts';
import { inputShapeHelp, inputShapesOf, oneModel, readModel } from './model-argument.ts';
import { table } from './table.ts';

const help = `usage: npm run validate -- MODEL [--plan auto|unfused|fused] [--precision auto|float32|float16|float16-storage|int8]
                           [--weights auto|int8] [--browser chrome|firefox] [--no-install]
                           [--input-shape NAME=SIZES]… [--json]

Every layer of a model on WebGPU in a browser against the CPU reference, within derived bounds.
MODEL is a file, or an id with random weights such as v2-1.0-224.
${noInstallHelp}
${inputShapeHelp}`;

/** Runs `load` and `Model.validate` where there is WebGPU. */
export type Validator = (settings: ValidateSettings, io: Io) => Promise<ValidationReport>;

/** The command, by whatever runs it. */
export const validateWith = (validator: Validator) => (argv: readonly string[], io: Io) =>
  runToExitCode({ help, parse, run: (settings, to) => run(validator, settings, to) }, argv, io);

export type ValidateSettings = ReturnType<typeof parse>;

function parse(argv: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      plan: { type: 'string', default: 'auto' },
      precision: { type: 'string', default: 'auto' },
      weights: { type: 'string', default: 'auto' },
      browser: { type: 'string', default: 'chrome' },
      'no-install': { type: 'boolean', default: false },
      'input-shape': { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
    },
  });
  const { plan, precision, weights } = values;
  return {
    model: oneModel(positionals),
    ...checkChoice({ device: 'webgpu', plan, precision, weights }),
    browser: oneOf('browser', values.browser, browserNames),
    install: !values['no-install'],
    shapes: inputShapesOf(values['input-shape']),
    json: values.json,
  };
}

async function run(validator: Validator, settings: ValidateSettings, io: Io): Promise<number> {
  const { model, plan, precision, shapes, json } = settings;
  // A file that cannot be read is refused before a browser is started.
  await graphFor(await readModel(model, shapes), resolveChoice({ precision, plan }).integers);
  const report = await validator(settings, io);
  io.stderr.write('\n');
  io.stdout.write(json ? `${JSON.stringify(report)}\n` : describe(report, io.terminal?.columns));
  return report.ok ? 0 : 1;
}

function describe(report: ValidationReport, columns: number | undefined): string {
  const rows = report.layers.map(({ name, op, kernel, shape, maxError, bound, ok }) => [
    ok ? 'ok' : 'FAILED',
    name,
    op,
    kernel,
    shape.join('×'),
    maxError.toExponential(1),
    bound.toExponential(1),
  ]);
  const outputs = report.outputs.map(({ name, maxError, nmse, topEqual, ok }) => [
    ok ? 'ok' : 'FAILED',
    name,
    maxError.toExponential(1),
    nmse.toExponential(1),
    topEqual ? 'same' : 'another',
  ]);
  const { vendor, architecture, description } = report.adapter;
  const adapter =
    [vendor, architecture, description].filter(Boolean).join(' ') || 'an adapter that does not name itself';
  return [
    table([['', 'layer', 'operation', 'kernel', 'output', 'error', 'bound'], ...rows], columns),
    table([['', 'output', 'largest error', 'normalised mean square error', 'best class'], ...outputs], columns),
    `${report.model}, ${report.plan} plan, on ${adapter}: ${report.ok ? 'ok' : 'FAILED'}\n`,
  ].join('\n');
}
