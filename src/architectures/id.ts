import { UsageError } from '../errors.ts';

const forms = [
  'v1-α-size',
  'v2-α-size',
  'v3-{small|large}[-minimalistic]-α-size',
  'v4-conv-{small|medium|large}[-α]-size',
] as const;

const pattern =
  /^(?:(?<plain>v1|v2)|v3-(?<v3>small|large)(?<minimalistic>-minimalistic)?|v4-conv-(?<v4>small|medium|large))(?:-(?<alpha>\d\.\d+))?-(?<size>\d+)$/;

/** Whether the text has the form of an architecture id, `v2-1.0-224` for example. */
export const isArchitectureId = (text: string): boolean => pattern.test(text);

/** The parts of an architecture id by their names in the pattern. Throws `UsageError` where it has not the form of one. */
export function partsOfId(id: string): Readonly<Record<string, string | undefined>> {
  const groups = pattern.exec(id)?.groups;
  if (!groups) throw new UsageError(`"${id}" is no architecture id; the forms are: ${forms.join(', ')} (v2-1.0-224)`);
  return groups;
}
