import type { Strings } from './strings.ts';

const expand = { name: 'Expansion 1×1', why: 'More channels, so that the cheap filter has more to look at.' };
const project = {
  name: 'Projection 1×1, linear',
  why: 'Back to few channels, without an activation, which would lose what few channels hold.',
};
const add = { name: 'Plus the input', why: 'The residual: the block learns what to add.' };

export const en: Strings = {
  code: 'en',
  texts: {
    title: 'One convolution, two ways',
    intro:
      'A normal convolution looks at all channels of a window at once, with one filter for each output channel. A depthwise separable convolution does it in two steps: first each channel by itself, then a 1 × 1 mix of the channels. The output has the same shape; the multiplications are far fewer. MobileNets are built of it.',
    inputSide: 'Input side',
    filterSide: 'Filter side',
    inputChannels: 'Input channels',
    outputChannels: 'Output channels',
    walkTitle: 'Step by step',
    back: 'Back',
    next: 'Next',
    raceTitle: 'Both at the same pace: multiplications a second',
    step: 'Step',
    restart: 'Restart',
    normal: 'Normal',
    depthwise: '1 Depthwise',
    pointwise: '2 Pointwise',
    countsTitle: 'Multiplications',
    tryTitle: 'On this device',
    tryIntro: 'The normal convolution gets the composed filter, so that both ways must give the same output:',
    tryRun: 'Run both ways',
    cancel: 'Cancel',
    blocksTitle: 'From this to MobileNet',
    blocksIntro:
      'Every MobileNet is a stack of blocks, and each generation adds to the block before. Choose one, and build it up.',
    layersShown: 'Layers shown',
  },
  presets: ['The lesson: 3 to 5 channels', '6 to 8 channels', '512 outputs', 'A layer of MobileNet'],
  play: 'Play',
  pause: 'Pause',
  again: 'Play again',
  walk: [
    ({ f, nc, nk, out, normal }) => [
      `Normal: ${normal}`,
      `A filter of ${f} × ${f} × ${nc} is laid on ${out} × ${out} places, and there are ${nk} filters: ${out}² · ${f}² · ${nc} · ${nk} = ${normal} multiplications.`,
    ],
    ({ f, nc, out, depthwise }) => [
      `Depthwise: ${depthwise}`,
      `Now each of ${nc} channels has one ${f} × ${f} filter of its own: ${out}² · ${f}² · ${nc} = ${depthwise}. The channels are not mixed yet.`,
    ],
    ({ nc, nk, out, pointwise }) => [
      `Pointwise: ${pointwise}`,
      `${nk} filters of 1 × 1 × ${nc} mix the channels of every place: ${out}² · ${nc} · ${nk} = ${pointwise}. The output has the shape of before.`,
    ],
    ({ depthwise, pointwise, sum }) => [
      `Together: ${sum}`,
      `${depthwise} + ${pointwise} = ${sum} multiplications for the same shape.`,
    ],
    ({ sum, normal, ratio, f, nk }) => [
      `The ratio: ${ratio}`,
      `${sum} / ${normal} = ${ratio} = 1 / ${nk} + 1 / ${f}². With many output channels it nears 1 / ${f}², whatever the picture.`,
    ],
  ],
  stepOf: (step, of) => `Step ${step} of ${of}`,
  filterTooLarge: (f, n) => `The filter (${f}) must not be larger than the input (${n}).`,
  wholeNumber: (name, min, max) =>
    `${name} must be a whole number from ${min} to ${max}. The picture and the counts below are for the last valid numbers.`,
  paceNote: (multiplications, drawnAsSix) =>
    `One step is ${multiplications} ${multiplications === 1 ? 'multiplication' : 'multiplications'}: one window of one channel. Both sides are given the same number of them, so the cheaper way ends first.${drawnAsSix ? ' More than six channels are drawn as six sheets.' : ''}`,
  filters: (count, f, channels) => `${count} filters of ${f}×${f}×${channels}`,
  aFilterEach: (f) => `one ${f}×${f} filter a channel`,
  filterAt: (sheet, of, row, column) => `filter ${sheet} of ${of}, row ${row}, column ${column}`,
  channelAt: (sheet, of, row, column) => `channel ${sheet} of ${of}, row ${row}, column ${column}`,
  done: (what) => `${what}: done`,
  ofMultiplications: (done, all) => `${done} of ${all} multiplications`,
  normalLabel: (f, nc, nk) =>
    `Normal convolution: each of ${nk} filters of ${f} by ${f} by ${nc} slides over the whole input and makes one output channel`,
  depthwiseLabel: (f, nc) =>
    `Depthwise convolution: each of ${nc} channels has its own filter of ${f} by ${f} and makes one channel`,
  pointwiseLabel: (nc, nk) =>
    `Pointwise convolution: each of ${nk} filters of 1 by 1 by ${nc} mixes the channels of every place`,
  separableSum: 'Separable, both steps',
  countsCaption: (n, f, nc, nk) =>
    `Multiplications for n = ${n}, f = ${f}, ${nc} input channels, ${nk} output channels`,
  fewer: (times) => `The separable way needs ${times} times fewer multiplications here.`,
  savesNothing:
    'With these sizes the separable way saves nothing: it pays where there are several output channels and a filter larger than 1 × 1.',
  compiling: 'Compiling…',
  runOf: (run, of) => `Run ${run} of ${of}…`,
  cancelled: 'Cancelled.',
  failed: 'The convolutions could not be run.',
  tooMuch: (multiplications, most) =>
    `${multiplications} multiplications are more than this page runs (${most}). Choose smaller sizes.`,
  separable: 'Separable',
  agree: 'Both ways give the same output.',
  differ: 'The outputs differ.',
  counted: (fewer, faster) => `${fewer} × fewer multiplications, ${faster} × faster here.`,
  countedSlower: (fewer, slower) => `${fewer} × fewer multiplications, and ${slower} × slower here.`,
  why: 'Why not the same? Starting the work, and bringing numbers in and out, costs both ways alike, and two steps have more of it than one. A depthwise step also multiplies little for each byte it moves, so it waits for memory, not for arithmetic. Larger sizes bring the two numbers closer together.',
  ranOn: (difference, largest, device, runs) =>
    `Largest difference ${difference}, where the largest value is ${largest}. ${device}, median of ${runs} runs, upload and readback counted.`,
  blockSize: (side, channels) => `On ${side} × ${side} places of ${channels} channels`,
  blockSum: (all, normal, times) =>
    `${all} multiplications; with one normal convolution in place of each depthwise and pointwise pair ${normal}, ${times} × as many.`,
  multiplications: (count) => `${count} multiplications`,
  blocks: {
    v1: {
      what: 'V1 (2017): the lesson itself, thirteen times one after another.',
      layers: [
        { name: 'Depthwise 3×3, ReLU6', why: 'Looks at the neighbours, each channel by itself.' },
        { name: 'Pointwise 1×1, ReLU6', why: 'Mixes the channels.' },
      ],
    },
    v2: {
      what: 'V2 (2018): the inverted residual. Wide inside, narrow between blocks.',
      layers: [
        expand,
        {
          name: 'Depthwise 3×3, ReLU6',
          why: 'Looks at the neighbours, on six times the channels, and is still cheap.',
        },
        project,
        add,
      ],
    },
    v3: {
      what: 'V3 (2019): found by search, with hard-swish, and a look at the whole picture.',
      layers: [
        expand,
        { name: 'Depthwise 5×5, hard-swish', why: 'A wider look costs little where each channel is by itself.' },
        {
          name: 'Squeeze-and-excitation',
          why: 'The mean of each channel over the picture says how much that channel counts.',
        },
        project,
        add,
      ],
    },
    v4: {
      what: 'V4 (2024): the universal inverted bottleneck, where a depthwise convolution may also come first.',
      layers: [
        { name: 'Depthwise 3×3', why: 'Before the expansion, on few channels: mixing places first is nearly free.' },
        { name: 'Expansion 1×1, ReLU', why: expand.why },
        { name: 'Depthwise 5×5, ReLU', why: 'Looks again, on many channels. Either depthwise may be left out.' },
        project,
        add,
      ],
    },
  },
};
