import { ModelFormatError } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import type { LoadGraphOptions, ModelFiles } from './model-files.ts';
import { readSafetensors } from './safetensors-container.ts';
import { openSavedModel, SAVED_FORMAT } from './saved-model.ts';

/** Opens a saved model. Throws `ModelFormatError`. */
export async function loadSafetensors(files: ModelFiles, options: LoadGraphOptions): Promise<Graph> {
  const content = readSafetensors(files.name, files.bytes);
  if (content.metadata.format === SAVED_FORMAT) return openSavedModel(files.name, content, options);
  throw new ModelFormatError(files.name, 'is a safetensors file, but no model that `Model.save` wrote');
}
