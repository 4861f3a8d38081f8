import '@tensorflow/tfjs-backend-webgpu';
import { startBackend } from './tfjs-network.ts';

export { version_core as version } from '@tensorflow/tfjs-core';

export const start = () => startBackend('webgpu');
