import { parseArgs } from 'node:util';
import type { ValidationReport } from '../index.ts';
import { graphFor } from '../integers.ts';
import { resolveChoice } from '../options.ts';
import { checkChoice, oneOf, runToExitCode } from './command.ts';
import { browserNames, ensureBrowser, noInstallHelp } from './find-browsers.ts';
import type { Io } from './io.ts';
import { inputShapeHelp, inputShapesOf, oneModel, readModel } from './model-argument.ts';
import { table } from './table.ts';
import { sourceOf, withEnginePage } from './with-page.ts';

const help = `usage: npm run validate -- MODEL [--plan auto|unfused|fused] [--precision auto|float32|float16-storage|int8]
                           [--browser chrome|firefox] [--no-install] [--input-shape NAME=SIZES]… [--json]

Every layer of a model on WebGPU in a browser against the CPU reference, within derived bounds.
MODEL is a file, or an id with random weights such as v2-1.0-224.
${noInstallHelp}
${inputShapeHelp}`;

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

function parse(argv: readonly string[]) {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      plan: { type: 'string', default: 'auto' },
      precision: { type: 'string', default: 'auto' },
      browser: { type: 'string', default: 'chrome' },
      'no-install': { type: 'boolean', default: false },
      'input-shape': { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
    },
  });
  const { plan, precision } = checkChoice({ device: 'webgpu', plan: values.plan, precision: values.precision });
  return {
    model: oneModel(positionals),
    plan,
    precision,
    browser: oneOf('browser', values.browser, browserNames),
    install: !values['no-install'],
    shapes: inputShapesOf(values['input-shape']),
    json: values.json,
  };
}

async function run(settings: ReturnType<typeof parse>, io: Io): Promise<number> {
  const { model, plan, precision, browser, install, shapes, json } = settings;
  // A file that cannot be read is refused before a browser is started.
  await graphFor(await readModel(model, shapes), resolveChoice({ precision, plan }).integers);
  const log = (message: string) => io.stderr.write(`${message}\n`);
  await ensureBrowser(browser, log, { install });
  log(`starting ${browser} …`);
  const onProgress = (message: string) => io.stderr.write(`\r${message}`);
  const report = await withEnginePage(browser, io, { log, onProgress }, (page, server) =>
    page.call<ValidationReport>('/src/cli/validate-in-page.ts', 'validateModel', {
      source: sourceOf(model, server),
      plan,
      precision,
      ...shapes,
    }),
  );
  io.stderr.write('\n');
  io.stdout.write(json ? `${JSON.stringify(report)}\n` : describe(report));
  return report.ok ? 0 : 1;
}

function describe(report: ValidationReport): string {
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
    table([['', 'layer', 'operation', 'kernel', 'output', 'error', 'bound'], ...rows]),
    table([['', 'output', 'largest error', 'normalised mean square error', 'best class'], ...outputs]),
    `${report.model}, ${report.plan} plan, on ${adapter}: ${report.ok ? 'ok' : 'FAILED'}\n`,
  ].join('\n');
}
