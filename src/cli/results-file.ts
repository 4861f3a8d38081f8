/** A file of results, a line of JSON each, that a later run goes on with. */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { UsageError } from '../errors.ts';

export class ResultsFile {
  /** Pictures of which the file holds a result. */
  readonly done: ReadonlySet<string>;
  readonly #file: number;

  private constructor(file: number, done: ReadonlySet<string>) {
    this.#file = file;
    this.done = done;
  }

  /**
   * Opens the file, or makes it. A last line without an end is that of a run that was killed: it is taken off. Throws
   * `UsageError` where the file holds something else, or results of another model.
   */
  static open(path: string, model: string): ResultsFile {
    let file: number;
    try {
      file = openSync(path, 'a+');
    } catch (error) {
      throw new UsageError(`--out ${path} cannot be opened: ${(error as Error).message}`);
    }
    try {
      const done = new Set<string>();
      let number = 0;
      const whole = eachLine(file, (line) => {
        number++;
        const result = parsed(line);
        if (typeof result?.file !== 'string') {
          throw new UsageError(
            `--out ${path}: line ${number} is no result of this command; pass a file that is not there yet`,
          );
        }
        if (result.model !== undefined && result.model !== model) {
          throw new UsageError(
            `--out ${path}: line ${number} is of the model ${result.model}, and this run's is ${model}: pass another file`,
          );
        }
        done.add(result.file);
      });
      if (whole < fstatSync(file).size) ftruncateSync(file, whole);
      return new ResultsFile(file, done);
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** In one call to the system, so that a run that is killed leaves whole lines but for the last. */
  add(result: object): void {
    writeSync(this.#file, `${JSON.stringify(result)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

function parsed(line: string): { readonly file?: unknown; readonly model?: unknown } | null {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

/** Calls `use` with each line that has an end, and returns the bytes of all of them: files of millions are read in parts. */
function eachLine(file: number, use: (line: string) => void): number {
  const part = Buffer.alloc(1 << 20);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let whole = 0;
  for (let at = 0; ; ) {
    const length = readSync(file, part, 0, part.length, at);
    if (length === 0) return whole;
    const lines = (rest + decoder.write(part.subarray(0, length))).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      use(line);
      whole += Buffer.byteLength(line) + 1;
    }
    at += length;
  }
}
