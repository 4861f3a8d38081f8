import { alignLabels } from '../loaders/sidecars/labels.ts';
import { segment } from '../tasks/index.ts';
import { numberFrom, runToExitCode, wholeNumber } from './command.ts';
import type { Io } from './io.ts';
import { forEachPicture, type PictureSettings, parsePictures, pictureHelp, usualModels } from './pictures.ts';

const help = pictureHelp(
  'segment',
  '[--top K] [--min-score S] [--parts] [--mask]',
  `What the pixels of pictures show: the share of each class, the largest first.
--top: classes at most. --min-score: from which score on a pixel is foreground, where the model tells no classes apart; 0.5 unless given.
--parts: the parts of bodies (BodyPix). --mask, with --json: the class of each pixel, a byte each, row by row, as base64;
255 is what the model did not see.`,
);

interface Settings extends PictureSettings {
  readonly top: number | undefined;
  readonly minScore: number | undefined;
  readonly parts: boolean;
  readonly mask: boolean;
}

function parse(argv: readonly string[]): Settings {
  const { settings, values } = parsePictures(
    argv,
    {
      top: { type: 'string' },
      'min-score': { type: 'string' },
      parts: { type: 'boolean' },
      mask: { type: 'boolean' },
    },
    usualModels.segment,
  );
  const minScore = numberFrom('min-score', values['min-score'], 0, 1);
  const top = values.top === undefined ? undefined : wholeNumber('top', values.top, 1, 1_000_000);
  return { ...settings, top, minScore, parts: values.parts ?? false, mask: values.mask ?? false };
}

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

const run = (chosen: Settings, io: Io): Promise<number> =>
  forEachPicture(chosen, io, {}, (model, names) => {
    const { decoding } = model.graph;
    const known = decoding?.kind === 'segmentation' && decoding.classes > 1 ? decoding.classes : undefined;
    const labels =
      names && known
        ? alignLabels(names.lines, known, names.file, (said) => io.stderr.write(`${said}\n`))
        : names?.lines;
    return async ({ picture, image, signal }) => {
      const { minScore, parts } = chosen;
      const found = await segment(model, picture, { minScore, parts, labels, signal, ...(image ? { image } : {}) });
      const { width, height } = found;
      const classes = found.classes.slice(0, chosen.top);
      const mask = chosen.mask ? { mask: Buffer.from(found.mask).toString('base64') } : {};
      const shares = classes.map(
        ({ index, label, share }) => `${label ?? `class ${index}`} ${(100 * share).toFixed(1)} %`,
      );
      return { fields: { width, height, classes, ...mask }, text: shares.join(', ') };
    };
  });
