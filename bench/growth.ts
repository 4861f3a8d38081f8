import { writeFile } from 'node:fs/promises';
import { networkCost } from '../src/analysis/index.ts';
import { buildArchitecture } from '../src/architectures/index.ts';
import { type BrowserName, ensureBrowser } from '../src/cli/find-browsers.ts';
import type { Io } from '../src/cli/io.ts';
import { table } from '../src/cli/table.ts';
import { withEnginePage } from '../src/cli/with-page.ts';
import type { PlanOption } from '../src/index.ts';
import type { GrowthRequest, GrowthSample } from './growth-in-page.ts';
import { growthPlot } from './growth-plot.ts';
import type { Growth, GrowthPoint, GrowthSeries } from './growth-results.ts';
import { adapterName } from './report.ts';
import { quantile } from './results.ts';

export interface GrowthOptions {
  readonly browser: BrowserName;
  readonly install: boolean;
  readonly plan: PlanOption;
  /** Null: 15. */
  readonly rounds: number | null;
  /** Where the plot is written; the numbers lie beside it, as JSON. */
  readonly plot: string;
  readonly json: boolean;
}

/** MobileNetV2, one quantity at a time. */
const sweeps = [
  { against: 'alpha', values: [0.35, 0.5, 0.75, 1, 1.4], network: (v: number) => ({ alpha: v, size: 224, batch: 1 }) },
  { against: 'size', values: [96, 128, 160, 192, 224], network: (v: number) => ({ alpha: 1, size: v, batch: 1 }) },
  { against: 'batch', values: [1, 2, 4, 8], network: (v: number) => ({ alpha: 1, size: 128, batch: v }) },
] as const;

const idOf = (alpha: number, size: number) => `v2-${Number.isInteger(alpha) ? alpha.toFixed(1) : alpha}-${size}`;

/** The time of an inference against width, input size and batch, beside the multiplications that it takes. */
export async function growth({ browser, install, plan, rounds, plot, json }: GrowthOptions, io: Io): Promise<number> {
  const log = (message: string) => io.stderr.write(`${message}\n`);
  const places = sweeps.map(({ values, network }) =>
    values.map((value) => {
      const { alpha, size, batch } = network(value);
      return { value, id: idOf(alpha, size), batch };
    }),
  );
  const keyOf = ({ id, batch }: { id: string; batch: number }) => `${id}/${batch}`;
  const networks = new Map(places.flat().map((place) => [keyOf(place), { id: place.id, batch: place.batch }]));
  const request: GrowthRequest = {
    networks: [...networks.values()],
    rounds: rounds ?? 15,
    plan,
  };
  await ensureBrowser(browser, log, { install });
  const { version, sample } = await withEnginePage(browser, io, { log, onProgress: log }, async (page) => ({
    version: await page.browser.version(),
    sample: await page.call<GrowthSample>('/bench/growth-in-page.ts', 'measureGrowth', request),
  }));
  const keys = [...networks.keys()];
  const series = sweeps.map(({ against }, i): GrowthSeries => {
    const points = places[i]!.map(({ value, id, batch }): GrowthPoint => {
      const times = sample.times[keys.indexOf(keyOf({ id, batch }))]!;
      const { macs } = networkCost(buildArchitecture(id, { batch }));
      return { model: id, batch, value, macs, medianMs: quantile(times, 0.5), minMs: Math.min(...times) };
    });
    return { against, points, exponent: growthExponent(points) };
  });
  const result: Growth = { browser: version, adapter: sample.adapter, plan, series };
  io.stdout.write(json ? `${JSON.stringify(result)}\n` : describeGrowth(result));
  const numbers = plot.replace(/(\.svg)?$/, '.json');
  await writeFile(plot, growthPlot(result));
  await writeFile(numbers, `${JSON.stringify(result, null, 2)}\n`);
  log(`wrote ${plot} and ${numbers}`);
  return 0;
}

/** The slope of the straight line nearest to log(time) over log(MACs), least squares. */
export function growthExponent(points: readonly { readonly macs: number; readonly medianMs: number }[]): number {
  const x = points.map(({ macs }) => Math.log(macs));
  const y = points.map(({ medianMs }) => Math.log(medianMs));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middleX, middleY] = [mean(x), mean(y)];
  const covariance = x.reduce((sum, value, i) => sum + (value - middleX) * (y[i]! - middleY), 0);
  return covariance / x.reduce((sum, value) => sum + (value - middleX) ** 2, 0);
}

/** Results for a terminal. */
export function describeGrowth({ browser, adapter, plan, series }: Growth): string {
  const blocks = series.map(({ against, points, exponent }) => {
    const [first] = points as [GrowthPoint];
    const rows = points.map(({ model, batch, macs, medianMs }) => [
      model,
      String(batch),
      (macs / 1e6).toFixed(1),
      medianMs.toFixed(2),
      `${(macs / first.macs).toFixed(2)} ×`,
      `${(medianMs / first.medianMs).toFixed(2)} ×`,
    ]);
    const lines = table([['model', 'batch', 'MMAC', 'median ms', 'MACs', 'time'], ...rows]);
    return `${lines}against ${against}: time grows as MACs to the power of ${exponent.toFixed(2)}\n`;
  });
  return [`MobileNetV2, ${plan} plan, ${browser} on ${adapterName(adapter)}\n`, ...blocks].join('\n');
}
