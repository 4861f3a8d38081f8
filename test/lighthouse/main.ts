/** The built page under Lighthouse, desktop preset: the median of five runs of each category must be 95 or more. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import type { Io } from '../../src/cli/io.ts';
import { launchBrowser } from '../../src/cli/launch-browser.ts';
import { serveFolders } from '../support/static-server.ts';

const RUNS = 5;
const LEAST = 0.95;
const categories = ['performance', 'accessibility', 'best-practices'] as const;

type Scores = Readonly<Record<(typeof categories)[number], { readonly score: number }>>;

interface Lighthouse {
  default(url: string, flags: object, config: object): Promise<{ lhr: { categories: Scores } }>;
  readonly desktopConfig: object;
}

export async function main(_argv: readonly string[], { stdout, stderr }: Io): Promise<number> {
  // Of a package of its own, whose types are not there where it is not installed.
  const name = 'lighthouse';
  const lighthouse = (await import(/* @vite-ignore */ name)) as Lighthouse;
  const folder = mkdtempSync(join(tmpdir(), 'page-lighthouse-'));
  await build({ configFile: 'demo/vite.config.ts', logLevel: 'error', build: { outDir: folder } });
  const server = await serveFolders({ page: folder });
  const scores = new Map(categories.map((category) => [category, [] as number[]]));
  try {
    for (let run = 1; run <= RUNS; run++) {
      const browser = await launchBrowser('chrome', { log: (text) => stderr.write(`${text}\n`) });
      try {
        const port = Number(new URL(browser.wsEndpoint()).port);
        const flags = { port, logLevel: 'error', onlyCategories: categories };
        const { lhr } = await lighthouse.default(`${server.url}/page/`, flags, lighthouse.desktopConfig);
        for (const category of categories) scores.get(category)!.push(lhr.categories[category].score);
        stderr.write(`run ${run}: ${categories.map((category) => lhr.categories[category].score).join(', ')}\n`);
      } finally {
        await browser.close();
      }
    }
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
  const medians = categories.map(
    (category) => [category, scores.get(category)!.sort()[Math.floor(RUNS / 2)]!] as const,
  );
  stdout.write(`${JSON.stringify(Object.fromEntries(medians))}\n`);
  return medians.every(([, score]) => score >= LEAST) ? 0 : 1;
}
