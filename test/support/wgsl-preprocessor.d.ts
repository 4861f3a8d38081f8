declare module 'wgsl-preprocessor/wgsl-preprocessor.js' {
  /** A template tag: text pieces and the values between them, as a template literal would be cut. */
  export function wgsl(pieces: readonly string[], ...values: unknown[]): string;
}
