/** Where a device is destroyed by test/device/loss-in-page.ts. */
export const stages = [
  'compile',
  'upload',
  'streaming load',
  'first inference',
  'readback',
  'picture stage',
  'trial of a kernel',
  'plan taken up',
  'idle',
] as const;
