/** What a command of this repository is given. */
import { parseArgs } from 'node:util';

/**
 * Values of the options, which `check` may refuse by throwing. With `--help`, or where one is wrong, the process writes how the
 * command is used and ends.
 */
export function given(help, options, check = () => {}) {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean', short: 'h' } } });
    if (!values.help) {
      check(values);
      return values;
    }
  } catch (error) {
    process.stderr.write(`${error.message}\n${help}`);
    process.exit(2);
  }
  process.stdout.write(help);
  process.exit(0);
}

/** Throws where some of the names are not among those that there are. */
export function known(what, names = [], all) {
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0) {
    throw new Error(`there is no ${what} "${unknown.join('", "')}"; there are ${all.join(', ')}`);
  }
}
