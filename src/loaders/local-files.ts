/** Files that were picked or dropped, a model and what lies beside it. */
import { ModelFormatError } from '../errors.ts';
import { ByteStream, type OnBytes, type Source } from './byte-stream.ts';
import { oneModelOf } from './model-among.ts';
import { splitQuery } from './read-beside.ts';

/** `name`: in messages, where a file has none. `progress`: for each file that is read. Throws `UsageError` as `oneModelOf` does. */
export function openFile(
  source: Blob | readonly File[],
  name: string,
  signal: AbortSignal | undefined,
  progress: () => OnBytes,
): Source {
  const file = source instanceof Blob ? source : mainOf(source);
  const open = (blob: Blob, called: string) =>
    new ByteStream(called, blob.stream(), { length: blob.size, signal, onBytes: progress() });
  const called = file instanceof File ? file.name : name;
  const opened = { name: called, stream: open(file, called) };
  if (!(file instanceof File) || file === source) return opened;
  const others = (source as readonly File[]).filter((other) => other !== file);
  const near = others.filter((other) => folderOf(other) === folderOf(file));
  return {
    ...opened,
    beside: near.map((other) => other.name),
    read: async (path) => {
      const name = splitQuery(path)[0].split('/').pop();
      const beside = [...near, ...others].find((candidate) => candidate.name === name);
      if (!beside) throw new ModelFormatError(called, `needs the file "${path}", which was not given with it`);
      return open(beside, beside.name).atLeast(Number.POSITIVE_INFINITY);
    },
  };
}

/** With its folder, where a whole one was handed over. */
const pathOf = (file: File): string => file.webkitRelativePath || file.name;
const folderOf = (file: File): string => pathOf(file).slice(0, -file.name.length);

/** The model among files. Throws `UsageError` where there is none, or more than one. */
function mainOf(files: readonly File[]): File {
  if (files.length === 1) return files[0]!;
  const name = oneModelOf(files.map(pathOf), 'among the files');
  return files.find((file) => pathOf(file) === name)!;
}
