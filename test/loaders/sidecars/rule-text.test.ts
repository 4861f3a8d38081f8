import { expect, it } from 'vitest';
import type { Shape } from '../../../src/graph/ops.ts';
import { parseImageRule } from '../../../src/loaders/sidecars/rule-text.ts';

const input: Shape = [1, 224, 224, 3];

it('reads mean and std, resize and crop, as torchvision and timm have them', () => {
  const rule = parseImageRule(
    'mean=0.485/0.456/0.406,std=0.229/0.224/0.225,resize=256,crop=224,filter=bicubic,channels=bgr,antialias=false',
    input,
  );
  expect(rule).toMatchObject({
    fit: 'crop',
    cropFraction: 0.875,
    filter: 'bicubic',
    channels: 'bgr',
    antialias: false,
  });
  // Black is −0.485 / 0.229, white (1 − 0.485) / 0.229.
  expect(rule.offset[0]).toBeCloseTo(-2.1179, 4);
  expect(255 * rule.scale[0]! + rule.offset[0]!).toBeCloseTo(2.2489, 4);
  expect(255 * rule.scale[2]! + rule.offset[2]!).toBeCloseTo(2.64, 4);
});

it.each([
  ['mean=0.5,std=0.5', { fit: 'stretch', scale: [1 / 127.5], offset: [-1] }],
  ['mean=127.5,std=127.5,white=255', { scale: [1 / 127.5], offset: [-1] }],
  ['crop=0.9', { fit: 'crop', cropFraction: 0.9, scale: [1 / 255], offset: [0] }],
  ['resize=256', { fit: 'crop', cropFraction: 0.875 }],
  ['resize=224x224', { fit: 'stretch', cropFraction: 1 }],
  ['fit=letterbox,mean=0/0/0', { fit: 'letterbox', scale: [1 / 255, 1 / 255, 1 / 255] }],
  ['{"mean": [0.5], "std": 0.5, "resize": 256}', { fit: 'crop', cropFraction: 0.875, scale: [1 / 127.5] }],
  [
    '{"size": {"shortest_edge": 256}, "crop_size": {"height": 224, "width": 224}, "resample": 2, "rescale_factor": 0.5, "image_mean": [1, 1, 1], "image_std": [2, 2, 2]}',
    { fit: 'crop', cropFraction: 0.875, filter: 'bilinear', scale: [0.25, 0.25, 0.25], offset: [-0.5, -0.5, -0.5] },
  ],
  [
    '{"size": {"height": 224, "width": 224}, "resample": 3, "rescale_factor": 1, "do_normalize": false, "do_flip_channel_order": true}',
    { fit: 'stretch', filter: 'bicubic', channels: 'bgr', scale: [1, 1, 1], offset: [0, 0, 0] },
  ],
])('%s', (text, expected) => {
  const rule = parseImageRule(text, input);
  expect(rule).toMatchObject({ ...expected, scale: rule.scale, offset: rule.offset });
  for (const key of ['scale', 'offset'] as const) {
    const values = (expected as Partial<typeof rule>)[key];
    if (!values) continue;
    expect(rule[key]).toHaveLength(values.length);
    for (const [i, value] of values.entries()) expect(rule[key][i]).toBeCloseTo(value, 12);
  }
});

it.each([
  ['mean', /expected key=value/],
  ['means=1', /"means", expected mean, std, white/],
  ['mean=a', /mean=a, expected a number, or 3/],
  ['mean=1/2', /mean=1\/2, expected a number, or 3/],
  ['std=0', /std=0, expected numbers above 0/],
  ['filter=nearest', /filter=nearest, expected bilinear or bicubic/],
  ['crop=224', /crop=224, expected a share of the short side/],
  ['resize=200', /resize=200, expected at least the input's side, 224/],
  ['resize=256,crop=192', /crop=192, expected the input's side, 224/],
  ['resize=299x299', /resize=299x299, expected the input's 224x224/],
  ['{"mean": ', /no sound JSON/],
  ['{"widths": 3}', /neither mean/],
])('%s is refused', (text, message) => {
  expect(() => parseImageRule(text, input)).toThrow(message);
});

it('needs a square where it crops pixels', () => {
  expect(() => parseImageRule('resize=256', [1, 192, 256, 3])).toThrow(/no square/);
});
