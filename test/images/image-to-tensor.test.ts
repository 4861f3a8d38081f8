import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import type { ImageRule } from '../../src/graph/graph.ts';
import type { Pair } from '../../src/graph/ops.ts';
import { imageToTensor, type Picture } from '../../src/images/image-to-tensor.ts';
import { filterWeight, leavesPixels, resamplePlan } from '../../src/images/resample.ts';

const rule = (options: Partial<ImageRule> = {}): ImageRule => ({
  fit: 'stretch',
  cropFraction: 1,
  filter: 'bilinear',
  antialias: true,
  corners: 'half-pixel',
  channels: 'grey',
  scale: [1],
  offset: [0],
  ...options,
});

/** A picture of red, green, blue by pixel; alpha is 7, which must not matter. */
function picture(
  width: number,
  height: number,
  pixel: (x: number, y: number) => readonly [number, number, number],
): Picture {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set([...pixel(x, y), 7], (y * width + x) * 4);
  }
  return { width, height, data };
}

/** One row, or rows, of grey values. */
function grey(...rows: readonly (readonly number[])[]): Picture {
  return picture(rows[0]!.length, rows.length, (x, y) => [rows[y]![x]!, rows[y]![x]!, rows[y]![x]!]);
}

const near = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 4));
const run = (image: Picture, options: Partial<ImageRule>, size: Pair, channels = 1) => [
  ...imageToTensor(image, rule(options), size, channels),
];

const fits = ['stretch', 'crop'] as const;
const filters = ['bilinear', 'bicubic'] as const;
const everyCorners = ['half-pixel', 'align'] as const;
const combinations = fits.flatMap((fit) =>
  filters.flatMap((filter) =>
    everyCorners.flatMap((corners) => [true, false].map((antialias) => ({ fit, filter, corners, antialias }))),
  ),
);

test.each(combinations)('a constant stays constant: $fit $filter $corners antialias $antialias', (options) => {
  for (const size of [
    [3, 5],
    [40, 17],
  ] as Pair[]) {
    const values = run(
      picture(11, 23, () => [100, 150, 200]),
      { ...options, cropFraction: 0.8, channels: 'rgb' },
      size,
      3,
    );
    for (const [i, value] of values.entries()) expect(value).toBeCloseTo([100, 150, 200][i % 3]!, 4);
  }
});

test.each(combinations)('the same size is the same picture: $fit $filter $corners antialias $antialias', (options) => {
  const pixels = Array.from({ length: 5 }, (_, y) => Array.from({ length: 5 }, (_, x) => (x * 53 + y * 97) % 256));
  expect(run(grey(...pixels), options, [5, 5])).toEqual(near(pixels.flat()));
});

describe('resampling', () => {
  test('half the size by a triangle of ±2 pixels', () => {
    // Centre 1: distances ½ ½ 3/2 of pixels 0, 1, 2 over a width of 2: weights 3/4, 3/4, 1/4, of a sum of 7/4.
    // Centre 3: pixels 1, 2, 3, the other way round.
    const values = run(grey([0, 70, 140, 210]), {}, [1, 2]);
    expect(values).toEqual(near([(70 * 3 + 140) / 7, (70 + 140 * 3 + 210 * 3) / 7]));
  });

  test('without antialias the same takes the two pixels at its centre only', () => {
    expect(run(grey([0, 70, 140, 210]), { antialias: false }, [1, 2])).toEqual(near([35, 175]));
  });

  test('a third of the size without antialias drops pixels, with it does not', () => {
    const comb = grey([0, 90, 0, 0, 90, 0]);
    expect(run(comb, { antialias: false }, [1, 2])).toEqual(near([90, 90]));
    // Centre 3/2, width 3: weights 2/3 1 2/3 1/3 of pixels 0 to 3, of which pixel 1 is 90; pixel 4 is at distance 3.
    expect(run(comb, {}, [1, 2])).toEqual(near([(90 * 1) / (8 / 3), (90 * 1) / (8 / 3)]));
  });

  test('twice the size: quarters, the edge held', () => {
    expect(run(grey([0, 80]), {}, [1, 4])).toEqual(near([0, 20, 60, 80]));
  });

  test('align corners: the ends are the ends', () => {
    expect(run(grey([0, 90]), { corners: 'align' }, [1, 4])).toEqual(near([0, 30, 60, 90]));
    expect(run(grey([0, 10, 20, 30, 40]), { corners: 'align', antialias: false }, [1, 3])).toEqual(near([0, 20, 40]));
    expect(run(grey([10, 20]), { corners: 'align' }, [1, 1])).toEqual(near([10]));
  });

  test('bicubic: Keys with a = −½', () => {
    expect([0, 0.5, 1, 1.5, 2, 2.5].map((x) => filterWeight('bicubic', -x))).toEqual([1, 0.5625, 0, -0.0625, 0, 0]);
    // Between two pixels far from the edge: −1/16, 9/16, 9/16, −1/16.
    const values = run(
      grey([0, 0, 0, 160, 160, 160]),
      { filter: 'bicubic', antialias: false, corners: 'align' },
      [1, 11],
    );
    expect(values[5]).toBeCloseTo(80, 4);
    expect(values[3]).toBeCloseTo(-10, 4);
    expect(values[7]).toBeCloseTo(170, 4);
  });

  test('bicubic at the edge: missing pixels take no part', () => {
    // Centre ¼ of pixels at ½, 3/2, 5/2: distances ¼, 5/4 and 9/4 (none); weights 0.8671875 and −0.0703125.
    const [w0, w1] = [0.8671875, -0.0703125];
    const values = run(grey([100, 200, 50]), { filter: 'bicubic' }, [1, 6]);
    expect(values[0]).toBeCloseTo((w0 * 100 + w1 * 200) / (w0 + w1), 4);
  });

  test('the two axes are independent', () => {
    const rows = [
      [0, 40],
      [80, 120],
    ];
    expect(run(grey(...rows), {}, [1, 1])).toEqual(near([60]));
    expect(run(grey(...rows), {}, [2, 1])).toEqual(near([20, 100]));
    expect(run(grey(...rows), {}, [1, 2])).toEqual(near([40, 80]));
  });
});

describe('fit', () => {
  test('crop takes the centre square of the longer side', () => {
    expect(run(grey([1, 2, 3, 4], [5, 6, 7, 8]), { fit: 'crop' }, [2, 2])).toEqual(near([2, 3, 6, 7]));
    expect(run(grey([1, 2], [3, 4], [5, 6], [7, 8]), { fit: 'crop' }, [2, 2])).toEqual(near([3, 4, 5, 6]));
  });

  test('crop fraction ½ of a 4 × 8 picture is its 2 × 2 centre', () => {
    const pixels = Array.from({ length: 4 }, (_, y) => Array.from({ length: 8 }, (_, x) => 10 * y + x));
    expect(run(grey(...pixels), { fit: 'crop', cropFraction: 0.5 }, [2, 2])).toEqual(near([13, 14, 23, 24]));
  });

  test('crop keeps the aspect of an output that is not square', () => {
    const { vertical, horizontal } = resamplePlan([100, 300], rule({ fit: 'crop', cropFraction: 0.5 }), [20, 40]);
    // The largest 1 : 2 rectangle is 100 × 200; half of it, 50 × 100, in the centre.
    expect(vertical).toMatchObject({ step: 2.5, start: 25 + 1.25 });
    expect(horizontal).toMatchObject({ step: 2.5, start: 100 + 1.25 });
  });

  test('stretch uses all of the picture', () => {
    expect(run(grey([0, 0, 100, 100]), { antialias: false }, [2, 2])).toEqual(near([0, 100, 0, 100]));
  });

  test('letterbox puts black above and below, before scale and offset', () => {
    const values = run(grey([50, 50, 50, 50], [50, 50, 50, 50]), { fit: 'letterbox', scale: [2], offset: [1] }, [4, 4]);
    expect(values).toEqual(near([...Array(4).fill(1), ...Array(8).fill(101), ...Array(4).fill(1)]));
  });

  test('letterbox left and right, the odd column at the right', () => {
    expect(run(grey([50], [50]), { fit: 'letterbox' }, [2, 4])).toEqual(near([0, 50, 0, 0, 0, 50, 0, 0]));
  });

  test('letterbox rounds as tf.image.resize_with_pad', () => {
    // 30 × 45 into 8 × 8: 5.33 rows become 5, (8 − 5.33) / 2 = 1.33 rows above become 1.
    const { vertical, horizontal } = resamplePlan([30, 45], rule({ fit: 'letterbox' }), [8, 8]);
    expect(vertical).toMatchObject({ first: 1, length: 5, step: 6 });
    expect(horizontal).toMatchObject({ first: 0, length: 8 });
    // 3 × 1000 into 8 × 8 still shows a row.
    expect(resamplePlan([3, 1000], rule({ fit: 'letterbox' }), [8, 8]).vertical).toMatchObject({ first: 3, length: 1 });
  });
});

describe('rotate and flip', () => {
  const rows = [
    [1, 2, 3],
    [4, 5, 6],
  ];

  test.each([
    [0, false, [1, 2, 3, 4, 5, 6]],
    [90, false, [4, 1, 5, 2, 6, 3]],
    [180, false, [6, 5, 4, 3, 2, 1]],
    [270, false, [3, 6, 2, 5, 1, 4]],
    [0, true, [3, 2, 1, 6, 5, 4]],
    [90, true, [1, 4, 2, 5, 3, 6]],
    [180, true, [4, 5, 6, 1, 2, 3]],
    [270, true, [6, 3, 5, 2, 4, 1]],
  ] as const)('turned by %i degrees clockwise, mirrored %s', (rotate, flip, expected) => {
    const size: Pair = rotate % 180 === 0 ? [2, 3] : [3, 2];
    expect(run(grey(...rows), { rotate, flip }, size)).toEqual(near(expected));
  });

  test('the fit is that of the turned picture', () => {
    const wide = grey([10, 20, 30, 40], [50, 60, 70, 80]);
    expect(run(wide, { rotate: 90, fit: 'crop' }, [2, 2])).toEqual(near([60, 20, 70, 30]));
    const boxed = run(wide, { rotate: 270, flip: true, fit: 'letterbox' }, [4, 4]);
    expect(boxed).toEqual(
      near(
        [
          [0, 80, 40, 0],
          [0, 70, 30, 0],
          [0, 60, 20, 0],
          [0, 50, 10, 0],
        ].flat(),
      ),
    );
  });
});

describe('channels, scale and offset', () => {
  const one = picture(1, 1, () => [10, 20, 30]);

  test('order', () => {
    expect(run(one, { channels: 'rgb' }, [1, 1], 3)).toEqual([10, 20, 30]);
    expect(run(one, { channels: 'bgr' }, [1, 1], 3)).toEqual([30, 20, 10]);
  });

  test('grey is the luma of Rec. 601', () => {
    // 0.299 · 10 + 0.587 · 20 + 0.114 · 30.
    expect(run(one, {}, [1, 1])).toEqual([expect.closeTo(18.15, 5)]);
  });

  test('scale and offset by channel of the tensor, or one for all', () => {
    const lists = { channels: 'bgr', scale: [1, 2, 3], offset: [0.5, 0, -100] } as const;
    expect(run(one, lists, [1, 1], 3)).toEqual([30.5, 40, -70]);
    expect(run(one, { channels: 'rgb', scale: [1 / 127.5], offset: [-1] }, [1, 1], 3)).toEqual(
      near([10 / 127.5 - 1, 20 / 127.5 - 1, 30 / 127.5 - 1]),
    );
  });

  test('nothing is rounded in between', () => {
    expect(run(grey([0, 1]), { antialias: false }, [1, 4])).toEqual(near([0, 0.25, 0.75, 1]));
  });
});

describe('pixels that are left as they are', () => {
  const colours = picture(7, 5, (x, y) => [20 * x + y, 3 * y, 255 - x * y]);
  const rgb = { channels: 'rgb', scale: [0.5, 1, 2], offset: [1, 2, 3] } as const;
  const scaled = [...colours.data].flatMap((value, i) =>
    i % 4 === 3 ? [] : [value * rgb.scale[i % 4]! + rgb.offset[i % 4]!],
  );

  test.each<[string, Partial<ImageRule>]>([
    ['stretched', {}],
    ['corners aligned', { corners: 'align' }],
    ['cropped to all of it', { fit: 'crop' }],
    ['letterboxed without a border', { fit: 'letterbox' }],
    ['bicubic', { filter: 'bicubic', antialias: false }],
  ])('%s', (_, options) => {
    expect(leavesPixels(resamplePlan([5, 7], rule(options), [5, 7]))).toBe(true);
    expect(run(colours, { ...rgb, ...options }, [5, 7], 3)).toEqual(near(scaled));
  });

  test.each<[string, Partial<ImageRule>, Pair, Pair]>([
    ['shrunk', {}, [5, 7], [5, 6]],
    ['enlarged', {}, [5, 7], [6, 7]],
    ['cropped', { fit: 'crop', cropFraction: 0.9 }, [5, 7], [5, 7]],
    ['cropped to the same height', { fit: 'crop' }, [5, 9], [5, 7]],
    ['letterboxed to the same width', { fit: 'letterbox' }, [3, 7], [5, 7]],
    ['mirrored', { flip: true }, [5, 7], [5, 7]],
    ['turned over', { rotate: 180 }, [5, 7], [5, 7]],
    ['turned right, of the same size', { rotate: 90 }, [5, 5], [5, 5]],
  ])('not %s', (_, options, stored, size) => {
    expect(leavesPixels(resamplePlan(stored, rule(options), size))).toBe(false);
  });
});

describe('errors', () => {
  test.each([
    [
      'bytes',
      () => imageToTensor({ width: 2, height: 2, data: new Uint8Array(12) }, rule(), [1, 1], 1),
      /12 bytes, expected 16/,
    ],
    ['channels', () => run(grey([1]), {}, [1, 1], 3), /"grey" makes 1, but the input tensor has 3/],
    ['scale', () => run(grey([1]), { scale: [1, 2] }, [1, 1]), /scale has 2 values, expected 1 or 1/],
    ['offset', () => run(grey([1]), { offset: [] }, [1, 1]), /offset has 0 values/],
    ['crop fraction', () => run(grey([1]), { fit: 'crop', cropFraction: 0 }, [1, 1]), /cropFraction is 0/],
    ['rotate', () => run(grey([1]), { rotate: 45 as 90 }, [1, 1]), /rotate is 45, expected 0, 90, 180 or 270/],
    [
      'an empty picture',
      () => run({ width: 0, height: 0, data: new Uint8Array(0) }, {}, [1, 1]),
      /the picture is 0 × 0/,
    ],
    ['an odd size', () => run(grey([1]), {}, [1.5, 1]), /the output is 1.5 × 1/],
  ])('%s', (_, act, message) => {
    expect(act).toThrow(UsageError);
    expect(act).toThrow(message);
  });
});
