import { basename, dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isArchitectureId, UsageError, type ValidationReport } from '../index.ts';
import { EnginePage, EngineServer } from './engine-page.ts';
import { type BrowserName, browserNames } from './find-browsers.ts';
import type { Io } from './io.ts';
import { inputShapeHelp, inputShapesOf, readModel, usage } from './model-argument.ts';
import { table } from './table.ts';

const help = `usage: npm run validate -- MODEL [--plan unfused|fused] [--browser chrome|firefox]
                           [--input-shape NAME=SIZES]… [--json]

Every layer of a model on WebGPU in a browser against the CPU reference, within derived bounds.
MODEL is a file, or an id with random weights such as v2-1.0-224.
${inputShapeHelp}`;

export async function main(argv: readonly string[], io: Io): Promise<number> {
  const parsed = usage(io, help, () => {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        plan: { type: 'string', default: 'unfused' },
        browser: { type: 'string', default: 'chrome' },
        'input-shape': { type: 'string', multiple: true },
        json: { type: 'boolean' },
      },
    });
    const [model, ...rest] = positionals;
    const { plan, browser } = values;
    if (!model || rest.length > 0) throw new UsageError('expected one MODEL');
    if (plan !== 'unfused' && plan !== 'fused') throw new UsageError(`--plan is "${plan}", expected unfused or fused`);
    if (!browserNames.includes(browser as BrowserName)) {
      throw new UsageError(`--browser is "${browser}", expected chrome or firefox`);
    }
    const shapes = inputShapesOf(values['input-shape']);
    return { model, plan, browser: browser as BrowserName, shapes, json: values.json ?? false };
  });
  if (!parsed) return 2;
  const { model, plan, browser, shapes, json } = parsed;
  // A file that cannot be read is refused before a browser is started.
  await readModel(model, shapes);

  const log = (message: string) => io.stderr.write(`${message}\n`);
  const server = await EngineServer.start();
  try {
    log(`starting ${browser} …`);
    const page = await EnginePage.open(server, browser, {
      log,
      onProgress: (message) => io.stderr.write(`\r${message}`),
    });
    const stop = () => page.close();
    io.signal.addEventListener('abort', stop);
    try {
      const source = isArchitectureId(model)
        ? model
        : `${server.lend('model', dirname(resolve(model)))}/${encodeURIComponent(basename(model))}`;
      const report = await page.call<ValidationReport>('/src/cli/validate-in-page.ts', 'validateModel', {
        source,
        plan,
        ...shapes,
      });
      io.stderr.write('\n');
      io.stdout.write(json ? `${JSON.stringify(report)}\n` : describe(report));
      return report.ok ? 0 : 1;
    } finally {
      io.signal.removeEventListener('abort', stop);
      await page.close();
    }
  } finally {
    await server.close();
  }
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
