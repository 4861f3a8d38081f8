import { alignLabels } from '../loaders/sidecars/labels.ts';
import { detect } from '../tasks/index.ts';
import { numberFrom, runToExitCode, wholeNumber } from './command.ts';
import type { Io } from './io.ts';
import { forEachPicture, type PictureSettings, parsePictures, pictureHelp, usualModels } from './pictures.ts';

const help = pictureHelp(
  'detect',
  '[--top K] [--min-score S] [--max-overlap O]',
  `The objects in pictures, the best first: boxes in pixels of the picture, from its top left.
--top, --min-score, --max-overlap: boxes at most, their least score, the most that one may share with a better one
(intersection over union); as the file says unless given.`,
);

interface Settings extends PictureSettings {
  readonly top: number | undefined;
  readonly minScore: number | undefined;
  readonly maxOverlap: number | undefined;
}

function parse(argv: readonly string[]): Settings {
  const { settings, values } = parsePictures(
    argv,
    {
      top: { type: 'string' },
      'min-score': { type: 'string' },
      'max-overlap': { type: 'string' },
    },
    usualModels.detect,
  );
  return {
    ...settings,
    top: values.top === undefined ? undefined : wholeNumber('top', values.top, 1, 1_000_000),
    minScore: numberFrom('min-score', values['min-score'], 0, 1),
    maxOverlap: numberFrom('max-overlap', values['max-overlap'], 0, 1),
  };
}

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

const run = (chosen: Settings, io: Io): Promise<number> =>
  forEachPicture(chosen, io, {}, (model, names) => {
    const { decoding } = model.graph;
    const classes = decoding && 'classes' in decoding ? decoding.classes : names?.lines.length;
    const labels =
      names && classes
        ? alignLabels(names.lines, classes, names.file, (said) => io.stderr.write(`${said}\n`))
        : undefined;
    const { top: maxDetections, minScore, maxOverlap } = chosen;
    return async ({ picture, image, signal }) => {
      const boxes = await detect(model, picture, {
        ...{ maxDetections, minScore, maxOverlap, labels, signal },
        ...(image ? { image } : {}),
      });
      const objects = boxes.map(
        ({ label, index, score, box }) =>
          `${label ?? `class ${index}`} ${(100 * score).toFixed(1)} % at ${box.map(Math.round).join(' ')}`,
      );
      return { fields: { boxes }, text: objects.join(', ') || 'nothing' };
    };
  });
