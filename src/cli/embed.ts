import { UsageError } from '../errors.ts';
import { runToExitCode } from './command.ts';
import type { Io } from './io.ts';
import { forEachPicture, type PictureSettings, parsePictures, pictureHelp, usualModels } from './pictures.ts';

const help = pictureHelp(
  'embed',
  '',
  `What the last layer of a classifier reads of pictures, an array of numbers each: with --json or --out.`,
);

function parse(argv: readonly string[]): PictureSettings {
  const { settings } = parsePictures(argv, {}, usualModels.embed);
  if (!settings.json && !settings.out) throw new UsageError('embed needs --json or --out FILE.jsonl');
  return settings;
}

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

const run = (chosen: PictureSettings, io: Io): Promise<number> =>
  forEachPicture(chosen, io, { embedding: true }, (model) => async ({ picture, image, signal }) => {
    const { embedding } = await model.embed(picture, { top: 0, signal, ...(image ? { image } : {}) });
    return { fields: { embedding: [...embedding] }, text: '' };
  });
