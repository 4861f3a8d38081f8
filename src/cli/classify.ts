import { alignLabels } from '../loaders/sidecars/labels.ts';
import { outputShapes, UsageError } from '../node/index.ts';
import type { PictureModel } from './browser-model.ts';
import { runToExitCode, wholeNumber } from './command.ts';
import type { Io } from './io.ts';
import { forEachPicture, type PictureSettings, parsePictures, pictureHelp, usualModels } from './pictures.ts';

const help = pictureHelp(
  'classify',
  '[--top K] [--embedding]',
  `The best classes of pictures, a line each: --top of them, 5 unless given.
--embedding adds the features that the last layer reads, an array of numbers in the JSON.`,
);

interface Settings extends PictureSettings {
  readonly top: number;
  readonly embedding: boolean;
}

function parse(argv: readonly string[]): Settings {
  const { settings, values } = parsePictures(
    argv,
    {
      top: { type: 'string', default: '5' },
      embedding: { type: 'boolean', default: false },
    },
    usualModels.classify,
  );
  const { top, embedding } = values;
  if (embedding && !settings.json && !settings.out) {
    throw new UsageError('--embedding needs --json or --out: it is a field of the JSON');
  }
  return { ...settings, top: wholeNumber('top', top, 1, 1_000_000), embedding };
}

export const main = (argv: readonly string[], io: Io): Promise<number> => runToExitCode({ help, parse, run }, argv, io);

const run = (chosen: Settings, io: Io): Promise<number> =>
  forEachPicture(chosen, io, { embedding: chosen.embedding }, (model, names) => {
    let labels = names ? null : model.labels;
    return async ({ picture, image, signal }) => {
      const options = { top: chosen.top, signal, ...(image ? { image } : {}) };
      const { top: best, embedding } = chosen.embedding
        ? await model.embed(picture, options)
        : { top: await model.classify(picture, options), embedding: null };
      labels ??=
        names && alignLabels(names.lines, classesOf(model), names.file, (said) => io.stderr.write(`${said}\n`));
      const top = best.map(({ index, label, score }) => ({ index, label: labels?.[index] ?? label, score }));
      const classes = top.map(
        ({ label, index, score }) => `${label ?? `class ${index}`} ${(100 * score).toFixed(1)} %`,
      );
      const fields = { adapter: model.adapter, top, ...(embedding ? { embedding: [...embedding] } : {}) };
      return { fields, text: classes.join(', ') };
    };
  });

/** Classes of a model with one output beside an embedding. */
function classesOf({ graph }: Pick<PictureModel, 'graph'>): number {
  const [[, shape]] = [...outputShapes(graph)].filter(([name], _, all) => all.length === 1 || name !== 'embedding');
  return shape.reduce((a, b) => a * b);
}
