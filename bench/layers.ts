import { type BrowserName, ensureBrowser } from '../src/cli/find-browsers.ts';
import type { Io } from '../src/cli/io.ts';
import { table } from '../src/cli/table.ts';
import { sourceOf, withEnginePage } from '../src/cli/with-page.ts';
import type { PlanOption } from '../src/index.ts';
import type { LayerReport } from './layers-in-page.ts';

export interface LayersOptions {
  readonly browser: BrowserName;
  readonly install: boolean;
  readonly model: string;
  readonly plan: PlanOption;
  readonly json: boolean;
}

/** The time of each dispatch of this engine beside what it computes and moves: its place under the roofline. */
export async function layers({ browser, install, model, plan, json }: LayersOptions, io: Io): Promise<number> {
  const log = (message: string) => io.stderr.write(`${message}\n`);
  await ensureBrowser(browser, log, { install });
  const report = await withEnginePage(browser, io, { log }, (page, server) => {
    const argument = { source: sourceOf(model, server), plan };
    return page.call<LayerReport>('/bench/layers-in-page.ts', 'profileLayers', argument);
  });
  io.stdout.write(json ? `${JSON.stringify({ browser, model, ...report })}\n` : describe(report));
  return 0;
}

function describe({ method, rows }: LayerReport): string {
  const total = rows.reduce((sum, { ms }) => sum + ms, 0);
  const lines = rows.map(({ node, kernel, shape, ms, flop, bytes }) => [
    node,
    kernel,
    shape.slice(1).join('×'),
    ms.toFixed(2),
    `${((100 * ms) / total).toFixed(1)} %`,
    (flop / 1e6).toFixed(1),
    (bytes / 1e6).toFixed(2),
    (flop / bytes).toFixed(1),
    (flop / ms / 1e6).toFixed(1),
    (bytes / ms / 1e6).toFixed(1),
  ]);
  const header = ['layer', 'kernel', 'output', 'ms', 'share', 'MFLOP', 'MB', 'FLOP/byte', 'GFLOP/s', 'GB/s'];
  return `${table([header, ...lines])}\n\n${total.toFixed(1)} ms in all, by ${method}, one pass a dispatch\n`;
}
