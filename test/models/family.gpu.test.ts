/** Relatives of MobileNet layer by layer in the browsers: PReLU, vectors of length 1, dilation, wide depthwise kernels. */
import { describe, expect, it } from 'vitest';
import type { ValidationReport } from '../../src/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { enginePage } from '../support/engine-page.ts';
import { writeOnnx } from '../support/onnx-writer.ts';
import { paintedScene } from '../support/painted-scene.ts';
import { ddfa, edgeTpu, lrAspp, mobileFaceNet, mobileFaceNetTflite } from '../support/relatives.ts';
import { browsers } from '../support/suite.ts';

/** File, side of its picture, values of black and white. */
const files: Readonly<Record<string, readonly [() => Uint8Array, number, readonly [number, number]]>> = {
  'MobileFaceNet.onnx': [() => writeOnnx(mobileFaceNet()), 112, [0, 255]],
  'MobileFaceNet.tflite': [() => writeTflite(mobileFaceNetTflite), 112, [-1, 1]],
  '3DDFA.onnx': [() => writeOnnx(ddfa()), 64, [-1, 1]],
  'LR-ASPP.onnx': [() => writeOnnx(lrAspp()), 64, [-2, 2]],
  'EdgeTPU.tflite': [() => writeTflite(edgeTpu), 64, [-1, 1]],
};

describe.each(browsers)('relatives in %s', (browser) => {
  it.each(Object.keys(files))('%s: every layer within its bound', async (name) => {
    const [file, side, range] = files[name]!;
    const picture = paintedScene([side, side, 3], 7, range);
    const page = await enginePage(browser);
    const argument = { file: file(), name, picture };
    const report = await page.call<ValidationReport>('/test/models/family-in-page.ts', 'validateFile', argument);
    expect(report.layers.filter(({ ok }) => !ok)).toEqual([]);
    for (const { nmse } of report.outputs) expect(nmse).toBeLessThan(1e-10);
    expect(report.ok).toBe(true);
  });
});
