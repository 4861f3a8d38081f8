import type { ValidationReport } from '../index.ts';
import { ensureBrowser } from './find-browsers.ts';
import type { Io } from './io.ts';
import { type ValidateSettings, validateWith } from './validate-command.ts';
import { sourceOf, withEnginePage } from './with-page.ts';

/** In a page of the repository's own server. */
async function inEnginePage(settings: ValidateSettings, io: Io): Promise<ValidationReport> {
  const { model, plan, precision, weights, browser, install, shapes } = settings;
  const log = (message: string) => io.stderr.write(`${message}\n`);
  await ensureBrowser(browser, log, { install });
  log(`starting ${browser} …`);
  const onProgress = (message: string) => io.stderr.write(`\r${message}`);
  return withEnginePage(browser, io, { log, onProgress }, (page, server) =>
    page.call<ValidationReport>('/src/cli/validate-in-page.ts', 'validateModel', {
      source: sourceOf(model, server),
      plan,
      precision,
      weights,
      ...shapes,
    }),
  );
}

export const main = (argv: readonly string[], io: Io): Promise<number> => validateWith(inEnginePage)(argv, io);
