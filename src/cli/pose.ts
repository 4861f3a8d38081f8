import { pose } from '../tasks/index.ts';
import { numberFrom, runToExitCode, wholeNumber } from './command.ts';
import type { Io } from './io.ts';
import { forEachPicture, type PictureSettings, parsePictures, pictureHelp, usualModels } from './pictures.ts';

const help = pictureHelp(
  'pose',
  '[--top K] [--min-score S] [--single]',
  `The people in pictures, the best first: 17 keypoints each, in pixels of the picture, from its top left.
--top, --min-score: people at most, and the least score of a keypoint that begins one (PoseNet); as the file says unless
given. --single: the picture shows one person.`,
);

interface Settings extends PictureSettings {
  readonly top: number | undefined;
  readonly minScore: number | undefined;
  readonly single: boolean;
}

function parse(argv: readonly string[]): Settings {
  const { settings, values } = parsePictures(
    argv,
    {
      top: { type: 'string' },
      'min-score': { type: 'string' },
      single: { type: 'boolean' },
    },
    usualModels.pose,
  );
  return {
    ...settings,
    top: values.top === undefined ? undefined : wholeNumber('top', values.top, 1, 1000),
    minScore: numberFrom('min-score', values['min-score'], 0, 1),
    single: values.single ?? false,
  };
}

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

const run = (chosen: Settings, io: Io): Promise<number> =>
  forEachPicture(chosen, io, {}, (model) => async ({ picture, image, signal }) => {
    const { top: maxPoses, minScore, single } = chosen;
    const poses = await pose(model, picture, { maxPoses, minScore, single, signal, ...(image ? { image } : {}) });
    const people = poses.map(({ score, keypoints }) => {
      const places = keypoints.map(({ name, x, y }) => `${name} ${Math.round(x)} ${Math.round(y)}`);
      return `${(100 * score).toFixed(1)} %: ${places.join(', ')}`;
    });
    return { fields: { poses }, text: people.join('; ') || 'nobody' };
  });
