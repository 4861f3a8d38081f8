import { UsageError } from '../errors.ts';

/** What a handler of TensorFlow.js (`tf.io.browserFiles`, `tf.io.fromMemory`…) gives of a graph model. */
export interface ModelArtifacts {
  readonly modelTopology?: object | ArrayBuffer | undefined;
  readonly format?: string | undefined;
  readonly weightSpecs?: readonly object[] | undefined;
  readonly weightData?: ArrayBuffer | readonly ArrayBuffer[] | undefined;
  readonly signature?: object | undefined;
  readonly userDefinedMetadata?: object | undefined;
}

export interface IOHandler {
  load?: (() => Promise<ModelArtifacts>) | undefined;
}

/** The files that the handler's model would lie in. Throws `UsageError` where it gives no graph model. */
export async function modelOf(handler: IOHandler): Promise<readonly File[]> {
  if (!handler.load) throw new UsageError('the handler "modelUrl" has no load(), expected one that reads a model');
  const {
    modelTopology,
    format = 'graph-model',
    weightSpecs,
    weightData,
    signature,
    userDefinedMetadata,
  } = await handler.load();
  if (!modelTopology || !weightSpecs || !weightData) {
    throw new UsageError('the handler "modelUrl" gives no modelTopology with weightSpecs and weightData');
  }
  const manifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
  const json = { format, modelTopology, weightsManifest: manifest, signature, userDefinedMetadata };
  const parts = weightData instanceof ArrayBuffer ? [weightData] : [...weightData];
  return [new File([JSON.stringify(json)], 'model.json'), new File(parts, 'weights.bin')];
}
