import type { Model, ValidationReport } from '../../src/index.ts';
import { html } from '../ui/dom.ts';
import { small } from '../ui/format.ts';

/** Runs the drawing through the GPU and the CPU reference, layer by layer and end to end, and says how far they are apart. */
export async function checkAgainstReference(
  model: Model,
  input: Float32Array,
  { signal, onProgress }: { readonly signal: AbortSignal; readonly onProgress: (share: number) => void },
): Promise<ValidationReport> {
  return model.validate(input, { signal, onLayer: (done, total) => onProgress(done / total) });
}

export function showCheck(place: HTMLElement, report: ValidationReport): void {
  const within = report.layers.filter(({ ok }) => ok).length;
  const worst = report.layers.reduce((a, b) => (b.maxError / b.bound > a.maxError / a.bound ? b : a));
  place.dataset.ok = String(report.ok);
  place.dataset.maxError = String(Math.max(...report.outputs.map(({ maxError }) => maxError)));
  place.dataset.nmse = String(Math.max(...report.outputs.map(({ nmse }) => nmse)));
  place.dataset.layers = String(report.layers.length);
  place.replaceChildren(
    html(
      'p',
      { class: `verdict ${report.ok ? 'verdict-good' : 'verdict-bad'}` },
      report.ok ? 'GPU and CPU agree on this drawing.' : 'GPU and CPU do not agree on this drawing.',
    ),
    html(
      'p',
      {},
      `${within} of ${report.layers.length} layers are within their rounding bounds; nearest to its own is `,
      html('code', {}, worst.name),
      ` with ${small(worst.maxError)} of ${small(worst.bound)} allowed.`,
    ),
    ...report.outputs.map(({ name, maxError, nmse, topEqual }) =>
      html(
        'p',
        {},
        'Output ',
        html('code', {}, name),
        `: largest difference ${small(maxError)}, normalised mean square error ${small(nmse)}, ${topEqual ? 'same best class' : 'another best class'}.`,
      ),
    ),
  );
}
