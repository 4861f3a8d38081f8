import '@tensorflow/tfjs-backend-webgpu';
import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { sizeOf } from '../../src/graph/shapes.ts';
import type { EngineOptions, Loader } from './engine.ts';
import { startBackend } from './tfjs-network.ts';

export { version_core as version } from '@tensorflow/tfjs-core';

export async function start({ setting }: Pick<EngineOptions, 'setting'>): Promise<Loader> {
  const { load } = await startBackend('webgpu');
  if (setting.includes('one submit')) tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', 10_000);
  if (!setting.includes('compiled before')) return { load };
  return {
    async load(model) {
      const session = await load(model);
      // A run that computes nothing has all pipelines compiled at once.
      tf.env().set('WEBGPU_ENGINE_COMPILE_ONLY', true);
      tf.dispose(session.issue(model.graph.inputs.map(({ shape }) => new Float32Array(sizeOf(shape)))));
      tf.env().set('WEBGPU_ENGINE_COMPILE_ONLY', false);
      await (tf.backend() as unknown as WebGPUBackend).checkCompileCompletionAsync();
      return session;
    },
  };
}
