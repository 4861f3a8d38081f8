import { describe, expect, it } from 'vitest';
import { whyNoGpu } from '../../src/device/why-no-gpu.ts';

const agents = {
  chrome: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  oldChrome:
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/110.0.0.0 Safari/537.36',
  safari:
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15',
  firefox: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
};

describe('without WebGPU the error says why, and what to do', () => {
  it.each([
    [
      'a page of http',
      agents.chrome,
      false,
      /this page \(http:\/\/shop\.test\) is not a secure context: open it by https/,
    ],
    ['Chrome on Linux', agents.chrome, true, /chrome:\/\/flags\/#enable-unsafe-webgpu.*--enable-features=Vulkan/],
    ['an old Chrome', agents.oldChrome, true, /this is Chrome 110, which has it from 113 on: update the browser/],
    ['an old Safari', agents.safari, true, /this is Safari 17, which has it from 26 on/],
    ['Firefox on Linux', agents.firefox, true, /this is Firefox 140.*dom\.webgpu\.enabled/],
    ['no browser', '', true, /mobilenet-webgpu\/node opens WebGPU by the package "webgpu"/],
  ])('in %s', (_, userAgent, isSecureContext, message) => {
    const around = { isSecureContext, location: { origin: 'http://shop.test' }, navigator: { userAgent } };
    expect(whyNoGpu(false, around)).toMatch(message);
  });

  it('and where there is one without an adapter, that', () => {
    expect(whyNoGpu(true, { navigator: { userAgent: agents.chrome } })).toMatch(
      /^WebGPU found no adapter.*chrome:\/\/gpu/,
    );
  });
});
