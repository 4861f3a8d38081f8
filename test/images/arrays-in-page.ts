/** Pictures of an array, beside inferences of arrays of numbers. */
import { type Classification, load, type Model, type PictureSource, seededInputs } from '../../src/index.ts';
import { randomValues } from '../support/random-values.ts';

const rateOf = async (count: number, work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return (1000 * count) / (performance.now() - start);
};

/** Inferences before and after an array. */
const RUNS = 12;

/** Inferences a second as the bench counts them: one after another, and three in flight. */
async function inferences(model: Model): Promise<number[]> {
  const inputs = seededInputs(model.graph);
  const rates = [];
  for (const inFlight of [1, 3]) {
    let left = RUNS;
    const lane = async () => {
      while (left-- > 0) await model.run(inputs);
    };
    rates.push(await rateOf(RUNS, () => Promise.all(Array.from({ length: inFlight }, lane))));
  }
  return rates;
}

/** Pictures that differ, as bytes, and as bitmaps. */
async function picturesOf(count: number, [width, height]: readonly [number, number]) {
  const bytes = Array.from({ length: count }, (_, i) => {
    const data = Uint8ClampedArray.from(randomValues(4 * width * height, i + 1, 0, 256));
    for (let k = 3; k < data.length; k += 4) data[k] = 255;
    return new ImageData(data, width, height);
  });
  return { bytes, bitmaps: await Promise.all(bytes.map((one) => createImageBitmap(one))) };
}

/**
 * Of each kind of picture and method, pictures a second beside inferences a second, in turns; and whether each picture of an
 * array has the result that it has alone.
 */
export async function compareArrays({ id, count, rounds }: { id: string; count: number; rounds: number }) {
  const model = await load(id, { device: 'webgpu', tuning: 'off', tuningCache: null, embedding: true });
  if (rounds > 1) await model.tune({ budgetMs: 5000 });
  const side = model.inputs[0]!.shape[1];
  const { bytes, bitmaps } = await picturesOf(count, [side, side]);
  const large = (await picturesOf(count, [640, 480])).bytes;
  const options = { image: 'keras', top: 1 } as const;
  const ways: Record<string, (pictures?: number) => Promise<unknown>> = {
    'classify bytes': (n) => model.classify(bytes.slice(0, n), options),
    'embed bytes': (n) => model.embed(bytes.slice(0, n), options),
    'classify bitmaps': (n) => model.classify(bitmaps.slice(0, n), options),
    'classify bytes of 640 × 480': (n) => model.classify(large.slice(0, n), options),
  };
  const shares: Record<string, number[]> = {};
  for (const [way, work] of Object.entries(ways)) {
    // What is compiled and made for it.
    await work(2);
    shares[way] = [];
  }
  let before = rounds > 0 ? await inferences(model) : [];
  for (let round = 0; round < rounds; round++) {
    for (const [way, work] of Object.entries(ways)) {
      const rate = await rateOf(count, work);
      const after = await inferences(model);
      // Of the faster of the two, between before and after: others use the machine, too.
      shares[way]!.push(rate / Math.max(...after.map((one, i) => (one + before[i]!) / 2)));
      before = after;
    }
  }
  const sources: PictureSource[] = [...bytes.slice(0, 3), ...bitmaps.slice(3, 6)];
  const together: Classification[][] = await model.classify(sources, options);
  const alone: Classification[][] = [];
  for (const source of sources) alone.push(await model.classify(source, options));
  model.dispose();
  return { shares, equal: JSON.stringify(together) === JSON.stringify(alone), found: together.flat().length };
}
