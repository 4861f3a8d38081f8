import { parseArgs } from 'node:util';
import { UsageError } from '../errors.ts';
import { type RunChoice, resolveChoice } from '../options.ts';
import type { Io } from './io.ts';

/** A command: what its arguments mean, and what it does with them. */
export interface Command<Settings> {
  readonly help: string;
  /** Throws what is wrong with the arguments. */
  parse(argv: readonly string[]): Settings;
  /** Its exit code. */
  run(settings: Settings, io: Io): Promise<number>;
}

/**
 * Runs a command to its exit code: 0 ok or help, 1 failure, 2 usage. What is wrong goes to standard error, with the help
 * where it is the arguments, with the stack where nobody meant to throw it.
 */
export async function runToExitCode<Settings>(
  { help: helpHere, parse, run }: Command<Settings>,
  argv: readonly string[],
  io: Io,
): Promise<number> {
  const help = io.program ? helpHere.replaceAll(/npm run (\w+) --/g, `${io.program} $1`) : helpHere;
  if (asksForHelp(argv)) {
    io.stdout.write(`${help}\n`);
    return 0;
  }
  let settings: Settings;
  try {
    settings = parse(argv);
  } catch (error) {
    io.stderr.write(`${(error as Error).message}\n\n${help}\n`);
    return 2;
  }
  try {
    return await run(settings, io);
  } catch (caught) {
    const error = caught as Error & { code?: unknown };
    const expected = io.signal.aborted || (error.code !== undefined && error.name !== 'Error');
    io.stderr.write(`${expected ? `${error.name}: ${error.message}` : error.stack}\n`);
    return error.code === 'usage' ? 2 : 1;
  }
}

/** Whether `--help` or `-h` is among the options. */
export function asksForHelp(argv: readonly string[]): boolean {
  const { values } = parseArgs({
    args: [...argv],
    strict: false,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  return values.help === true;
}

/** The value of an option that is one of several words. Throws `UsageError`. */
export function oneOf<T extends string>(option: string, value: string, words: readonly T[]): T {
  const word = words.find((each) => each === value);
  if (word === undefined) throw new UsageError(`--${option} is "${value}", expected ${words.join(' or ')}`);
  return word;
}

/** The value of an option that is a whole number. Throws `UsageError`. */
export function wholeNumber(option: string, value: string | undefined, least: number, most: number): number {
  const number = Number(value);
  if (!(Number.isInteger(number) && number >= least && number <= most)) {
    throw new UsageError(`--${option} is "${value}", expected a whole number from ${least} to ${most}`);
  }
  return number;
}

/** The value of an option that is a number, where it is given. Throws `UsageError`. */
export function numberFrom(option: string, value: string | undefined, least: number, most: number): number | undefined {
  if (value === undefined) return undefined;
  const number = value.trim() === '' ? NaN : Number(value);
  if (number >= least && number <= most) return number;
  throw new UsageError(`--${option} is "${value}", expected a number from ${least} to ${most}`);
}

/** Checks `--device`, `--precision` and `--plan` before anything is read. Throws `UsageError`. */
export function checkChoice<K extends keyof RunChoice>(
  choice: Readonly<Record<K, string>>,
): { readonly [option in K]: NonNullable<RunChoice[option]> } {
  try {
    resolveChoice(choice as RunChoice);
  } catch (error) {
    throw new UsageError(`--${(error as Error).message}`);
  }
  return choice as { readonly [option in K]: NonNullable<RunChoice[option]> };
}
