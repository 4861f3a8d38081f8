/** What of a browser tells why it has no WebGPU; parts of `navigator` and `globalThis`. */
export interface Surroundings {
  readonly isSecureContext?: boolean;
  readonly location?: { readonly origin: string };
  readonly navigator?: { readonly userAgent: string };
}

const reference = "the CPU reference can be used instead: device: 'reference'";

/** Why there is no adapter, and what to do. `offered`: the browser has WebGPU, and its adapter is not to be had. */
export function whyNoGpu(offered: boolean, around: Surroundings = globalThis): string {
  const agent = around.navigator?.userAgent ?? '';
  const version = (pattern: RegExp): number => Number(pattern.exec(agent)?.[1] ?? 0);
  const linux = /Linux|X11|CrOS/.test(agent) && !/Android/.test(agent);
  const chrome = version(/Chrome\/(\d+)/);
  const says = (what: string) =>
    `WebGPU ${offered ? 'found no adapter (no usable GPU or driver)' : 'is not available here'}: ${what}; ${reference}`;
  if (!offered && around.isSecureContext === false) {
    return says(`this page (${around.location?.origin}) is not a secure context: open it by https, or as localhost`);
  }
  if (chrome) {
    if (linux) {
      return says(
        'Chrome on Linux has it by default from 144 on, on recent GPUs; else enable chrome://flags/#enable-unsafe-webgpu, or start ' +
          'it with --enable-unsafe-webgpu --enable-features=Vulkan, and see chrome://gpu',
      );
    }
    const least = /Android/.test(agent) ? 121 : 113;
    if (chrome < least) return says(`this is Chrome ${chrome}, which has it from ${least} on: update the browser`);
    return says('turn on "Use graphics acceleration when available" in the settings, and see chrome://gpu');
  }
  const safari = /Safari\//.test(agent) ? version(/Version\/(\d+)/) : 0;
  if (safari && safari < 26) {
    return says(
      `this is Safari ${safari}, which has it from 26 on (macOS 26, iOS 26): update the system, or turn on WebGPU in the feature flags ` +
        'of the developer settings',
    );
  }
  const firefox = version(/Firefox\/(\d+)/);
  if (firefox) {
    return says(
      `this is Firefox ${firefox}, which has it from 141 on on Windows and 145 on Macs with Apple silicon; elsewhere set dom.webgpu.enabled in about:config`,
    );
  }
  return says(
    agent
      ? 'update the browser, and turn on hardware acceleration'
      : 'this is no browser; in Node, load of mobilenet-webgpu/node opens WebGPU by the package "webgpu"',
  );
}
