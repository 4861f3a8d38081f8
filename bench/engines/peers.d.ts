/** What the bench uses of packages that are installed into bench/ only, when it runs; the type check does without. */

declare module '@tensorflow/tfjs-backend-webgpu' {}
