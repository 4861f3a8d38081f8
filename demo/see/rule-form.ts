import type { ImageOption, ImagePreset } from '../../src/index.ts';
import { byId } from '../ui/dom.ts';

const numbers = (text: string): number[] =>
  text
    .split(/[\s,;]+/)
    .filter(Boolean)
    .map(Number);

/** The form that says how pictures become the input, for files that do not. `onChange` is told of every choice. */
export function wireRuleForm(onChange: (image: ImageOption) => void): {
  readonly show: (needed: boolean) => void;
  readonly value: () => ImageOption;
} {
  const form = byId('see-rule', HTMLFormElement);
  const preset = byId('see-preset', HTMLSelectElement);
  const mean = byId('see-mean', HTMLInputElement);
  const std = byId('see-std', HTMLInputElement);
  const fit = byId('see-fit', HTMLSelectElement);
  const custom = byId('see-custom', HTMLDivElement);
  const value = (): ImageOption =>
    preset.value === 'custom'
      ? { mean: numbers(mean.value), std: numbers(std.value), fit: fit.value as 'stretch' | 'crop' | 'letterbox' }
      : (preset.value as ImagePreset);
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('change', () => {
    custom.hidden = preset.value !== 'custom';
    onChange(value());
  });
  return {
    value,
    show(needed) {
      form.hidden = !needed;
    },
  };
}
