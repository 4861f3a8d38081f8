import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isArchitectureId, load, type ValidationReport } from '../node/index.ts';
import { runInBrowser } from './browser-run.ts';
import { findBrowser } from './find-browsers.ts';
import type { Io } from './io.ts';
import type { ValidateSettings } from './validate-command.ts';

/** In an installed browser, or by Dawn in Node where there is none: of the built package, which lies beside this. */
export async function whereThereIsWebGpu(settings: ValidateSettings, io: Io): Promise<ValidationReport> {
  const { model, device, plan, precision, weights, browser, shapes } = settings;
  const choice = { device, plan, precision, weights, tuning: 'off', ...shapes } as const;
  const executable = await findBrowser(browser);
  const onProgress = (message: string) => io.stderr.write(`\r${message}        `);
  if (!executable) {
    io.stderr.write(`${browser} was not found: in Node\n`);
    const loaded = await load(model, choice);
    try {
      const onLayer = (done: number, total: number) => onProgress(`layer ${done}/${total}`);
      return await loaded.validate(undefined, { signal: io.signal, onLayer });
    } finally {
      loaded.dispose();
    }
  }
  io.stderr.write(`starting ${browser} …\n`);
  const source = isArchitectureId(model) ? model : `/model/${encodeURIComponent(basename(model))}`;
  const options = JSON.stringify(choice);
  return runInBrowser<ValidationReport>({
    browser,
    executable,
    folders: { dist: fileURLToPath(new URL('..', import.meta.url)), model: dirname(resolve(model)) },
    script: `const { load } = await import('/dist/index.js');
      const onProgress = ({ stage, done, total }) => progress(stage + ' ' + done + '/' + total);
      const model = await load(${JSON.stringify(source)}, { ...${options}, onProgress });
      return model.validate(undefined, { onLayer: (done, total) => progress('layer ' + done + '/' + total) });`,
    onProgress,
    signal: io.signal,
    patienceMs: 180_000,
  });
}
