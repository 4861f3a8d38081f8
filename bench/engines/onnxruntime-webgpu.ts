import * as ort from 'onnxruntime-web/webgpu';
import { dependencies } from '../package.json';
import type { EngineOptions, Loader } from './engine.ts';
import { startRuntime } from './onnxruntime.ts';

export const version = dependencies['onnxruntime-web'];

export const start = (options: EngineOptions): Promise<Loader> =>
  startRuntime(ort, options, { executionProviders: ['webgpu'] }, true);
