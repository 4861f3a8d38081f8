import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync } from 'node:zlib';
import { createCanvas } from '@napi-rs/canvas';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildArchitecture } from '../../src/architectures/index.ts';
import { prepare } from '../../src/passes/index.ts';
import { writeTflite } from '../../src/writers/tflite.ts';
import { enginePage } from '../support/engine-page.ts';
import { browsers } from '../support/suite.ts';

const picture = createCanvas(8, 8);
const model = writeTflite(prepare(buildArchitecture('v1-0.25-32', { classes: 3 })));

/** 20,000 × 10,000 pixels of one bit, and what makes the file as long as a photograph. */
function largePng(): Uint8Array {
  const chunk = (type: string, data: Uint8Array) => {
    const bytes = Buffer.alloc(12 + data.length);
    bytes.writeUInt32BE(data.length);
    bytes.write(type, 4, 'latin1');
    bytes.set(data, 8);
    // The checksum is left at zero: nothing gets as far as reading it.
    return bytes;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(20_000);
  header.writeUInt32BE(10_000, 4);
  header.set([1, 0, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.alloc(10_000 * 2501));
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  const parts = [signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([...parts, Buffer.alloc(2 ** 20)]);
}

const server = createServer((request, response) => {
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  if (request.url === '/picture.png') return response.end(picture.toBuffer('image/png'));
  response.setHeader('Access-Control-Allow-Origin', '*');
  return response.end(model);
});
let address = '';
beforeAll(async () => {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((closed) => server.close(closed)));

const says: Readonly<Record<string, RegExp>> = {
  tainted: /^PictureError: the picture may not be read .*crossOrigin = "anonymous"/,
  detached: /^PictureError: the OffscreenCanvas could not be read: .*closed or handed to a worker/,
  closed: /^PictureError: the ImageBitmap could not be read: .*closed or handed to a worker/,
  broken: /^PictureError: the image blob:\S+ could not be decoded: .*check its address/,
  empty: /^PictureError: the HTMLCanvasElement could not be read: .*it is empty/,
  'cut JPEG':
    /^PictureError: cut\.jpg could not be decoded: .*100 bytes of type "image\/jpeg"\): expected a whole JPEG/,
  '200 megapixels': /^PictureError: large\.png has 20000 × 10000 pixels.*resizeWidth/,
  'video without data': /^PictureError: the video has no frame yet: wait for its event "loadeddata"/,
  'no picture': /^UsageError: the HTMLDivElement is no picture: expected an img, canvas/,
  'bytes too short': /^UsageError: a picture of 2 × 2 pixels has 15 bytes, expected 16/,
};

const others: Readonly<Record<string, RegExp>> = {
  'no rule': /^UsageError: \S+ does not say how .*keras, torchvision, timm, zeroToOne/,
  'top: 0': /^UsageError: top is 0, expected how many of the best classes are wanted, 1 or more/,
  region: /^UsageError: the region \[10,10,5,5\] has no pixel of the picture's 4 × 4/,
  'in an array': /^PictureError: picture 1 of 3: the video has no frame yet/,
  'dispose during classify': /^UsageError: [^;]*was disposed of(; UsageError: [^;]*was disposed of)*$/,
};

describe.each(browsers)('what fails in %s', (browser) => {
  it('of pictures is an error that says what to do, and nothing is left unheard', async () => {
    const page = await enginePage(browser);
    const jpeg = new Uint8Array(picture.toBuffer('image/jpeg'));
    const files = { foreign: `${address}/picture.png`, jpeg, large: new Uint8Array(largePng()) };
    const result = await page.call<{
      failures: Record<string, [string, string]>;
      others: Record<string, string>;
      unheard: string[];
    }>('/test/images/failures-in-page.ts', 'pictureFailures', files);
    for (const [kind, pattern] of Object.entries(says)) {
      expect(result.failures[kind]?.[0], `${kind} on the GPU`).toMatch(pattern);
      expect(result.failures[kind]?.[1], `${kind} on the CPU`).toMatch(pattern);
    }
    for (const [kind, pattern] of Object.entries(others)) expect(result.others[kind], kind).toMatch(pattern);
    expect(result.unheard).toEqual([]);
  });

  it('of kept files is found by their SHA-256', async () => {
    const page = await enginePage(browser);
    const sha256 = createHash('sha256').update(model).digest('hex');
    const url = `${address}/model.tflite`;
    expect(await page.call('/test/images/failures-in-page.ts', 'keptFile', { address: url, sha256 })).toEqual({
      before: [false, expect.stringMatching(/^UsageError: .*cache is "only", and it is not kept here/)],
      kept: true,
      same: true,
      damaged: expect.stringMatching(/^UsageError: .*what is kept is damaged and was removed/),
      gone: true,
      removed: true,
    });
  });
});
