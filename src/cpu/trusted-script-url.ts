interface Policy {
  createScriptURL(address: string): unknown;
}

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): Policy;
}

let policy: Policy | null = null;

/**
 * The address as a page with Trusted Types takes it for a script or a worker: by the policy "mobilenet-webgpu", which such a
 * page must allow (`trusted-types mobilenet-webgpu`). It is made for the addresses that the caller of `load` states, and for
 * files of this package.
 */
export function trustedScriptUrl(address: string): unknown {
  const { trustedTypes } = globalThis as { trustedTypes?: PolicyFactory };
  policy ??= trustedTypes?.createPolicy('mobilenet-webgpu', { createScriptURL: (url) => url }) ?? null;
  return policy ? policy.createScriptURL(address) : address;
}
