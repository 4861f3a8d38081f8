/** Which of the files in a folder is the model. */
import { SeveralModelsError, UsageError } from '../errors.ts';

/** What lies beside models in JSON and is none. */
const besideModels = new Set(
  ['metadata', 'config', 'preprocessor_config', 'generation_config', 'tokenizer_config', 'labels'].map(
    (name) => `${name}.json`,
  ),
);

/** The names that are models, not what belongs to one: by their endings, and of JSON files by what is not known otherwise. */
function modelsAmong(names: readonly string[]): string[] {
  const plain = (name: string) => name.split('/').pop()!;
  const binary = names.filter((name) => /\.(onnx|tflite|safetensors)$/.test(name));
  const json = names.filter((name) => name.endsWith('.json') && !besideModels.has(plain(name)));
  const graphs = json.filter((name) => plain(name) === 'model.json');
  return [...binary, ...(graphs.length > 0 || binary.length > 0 ? graphs : json)];
}

/** The one model among these names of files. Throws `UsageError` where there is none, `SeveralModelsError` where there are more. */
export function oneModelOf(names: readonly string[], where: string): string {
  const models = names.length === 1 ? names : modelsAmong(names);
  if (models.length === 1) return models[0]!;
  if (models.length > 1) throw new SeveralModelsError(where, models);
  throw new UsageError(
    `no model ${where} (${names.slice(0, 12).join(', ') || 'none'}): expected one file, or a model.json, .onnx, .tflite or ` +
      '.safetensors with its own',
  );
}
