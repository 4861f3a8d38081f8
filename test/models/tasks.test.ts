/** Real pose estimators and segmentation networks on the CPU reference, against LiteRT.js and published results. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { imageToTensor } from '../../src/images/image-to-tensor.ts';
import { load } from '../../src/index.ts';
import { pose, segment } from '../../src/tasks/index.ts';
import { liteRtOutputs } from '../support/litert.ts';
import { needModels } from '../support/real-models.ts';
import { bytesOf, indexedPixels, inFolder, overlapOf, pictureOf, posesOf } from './task-files.ts';

const movenet = 'movenet_single_pose_lightning_ptq';

describe('MoveNet of 8 bits, on squat.bmp', () => {
  needModels();

  it.each(['int8', 'float32'] as const)(
    '%s: has the keypoints that LiteRT.js has within 2 % of the frame',
    async (precision) => {
      const bytes = bytesOf(inFolder(`${movenet}.tflite`));
      const picture = await pictureOf(inFolder('squat.bmp'));
      const model = await load(bytes, { device: 'reference', precision });
      const [person] = await pose(model, picture);
      const data = imageToTensor(picture, model.graph.image!, [192, 192], 3).map(Math.round);
      const feeds = { input: { dims: [1, 192, 192, 3], data, type: 'uint8' as const } };
      const [decoded] = Object.values(await liteRtOutputs(bytes, feeds));
      const reference = posesOf(inFolder(`${movenet}_reference.csv`));
      const off = person!.keypoints.map(({ name, x, y }, k) => {
        const place = [x / picture.width, y / picture.height];
        const to = (other: readonly number[]) => Math.max(...place.map((v, i) => Math.abs(v - other[i]!)));
        const own = decoded!.data;
        return {
          name,
          runtime: to([own[3 * k + 1]!, own[3 * k]!]),
          published: to([reference[k]!.keypoint_x!, reference[k]!.keypoint_y!]),
        };
      });
      const most = (key: 'runtime' | 'published') => Math.max(...off.map((one) => one[key]));
      process.stdout.write(`MoveNet, most off: LiteRT.js ${most('runtime')}, reference ${most('published')}\n`);
      expect(off.filter(({ runtime }) => runtime > 0.02)).toEqual([]);
      // On these pixels LiteRT.js has the left hip 3.4 % off the reference, whose pixels and kernels were others; on its integers the
      // left shoulder and wrist are just beyond 2 %, too.
      const beyond = off.filter(({ published }) => published > 0.02);
      const others = precision === 'int8' ? ['left shoulder', 'left wrist'] : [];
      expect(beyond.map(({ name }) => name)).toEqual([...others, 'left hip']);
      for (const { published } of beyond) expect(published).toBeLessThan(0.04);
    },
  );
});

describe('PoseNet and BodyPix of 8 bits', () => {
  needModels();

  it.for(['posenet_mobilenet_v1_075_353_481_16_quant_decoder', 'bodypix_mobilenet_v1_075_512_512_16_quant_decoder'])(
    '%s: poses are those of its reference',
    async (name, { skip }) => {
      const files = [`${name}.tflite`, `${name}_reference.csv`, 'test_image.bmp'].map(inFolder);
      skip(!files.every((file) => existsSync(file)), `${name} is not in the folder`);
      const model = await load(bytesOf(files[0]!), { device: 'reference' });
      const picture = await pictureOf(files[2]!);
      const reference = posesOf(files[1]!);
      const people = await pose(model, picture);
      expect(people).toHaveLength(reference.length / 17);
      for (const { pose_id, keypoint_id, keypoint_score, keypoint_x, keypoint_y } of reference) {
        const { x, y, score } = people[pose_id!]!.keypoints[keypoint_id!]!;
        // As its own test has it: keypoints that are likely.
        if (keypoint_score! < 0.5) continue;
        expect(Math.abs(x / picture.width - keypoint_x!)).toBeLessThan(0.02);
        expect(Math.abs(y / picture.height - keypoint_y!)).toBeLessThan(0.02);
        expect(Math.abs(score - keypoint_score!)).toBeLessThan(0.1);
      }
    },
  );
});

describe('DeepLab V3 of 8 bits', () => {
  needModels();

  it('finds the bird', async ({ skip }) => {
    const file = inFolder('deeplabv3_mnv2_dm05_pascal_quant.tflite');
    skip(!existsSync(file), 'deeplabv3_mnv2_dm05_pascal_quant.tflite is not in the folder');
    const model = await load(bytesOf(file), { device: 'reference' });
    const { mask } = await segment(model, await pictureOf(inFolder('bird_segmentation.bmp')));
    expect(overlapOf(mask, indexedPixels(inFolder('bird_segmentation_mask.bmp')).values, 3)).toBeGreaterThan(0.8);
  });
});
