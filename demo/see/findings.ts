/** What a network found, in words: the twin of what is drawn over the picture. */
import { html } from '../ui/dom.ts';
import { percent } from '../ui/format.ts';
import type { Finding } from './looker.ts';
import { leastScore } from './overlay.ts';

interface Row {
  readonly name: string;
  readonly score: number;
  readonly index: number;
}

export function rowsOf(finding: Finding): readonly Row[] {
  switch (finding.kind) {
    case 'boxes':
      return finding.boxes
        .slice(0, 8)
        .map(({ label, index, score }) => ({ name: label ?? `class ${index}`, score, index }));
    case 'poses':
      return finding.people.flatMap(({ score, keypoints }, person) => {
        const seen = keypoints.filter((point) => point.score >= leastScore).length;
        return [{ name: `person ${person + 1}: ${seen} of ${keypoints.length} joints`, score, index: person }];
      });
    case 'mask':
      return finding.mask.classes
        .slice(0, 6)
        .map(({ label, index, share }) => ({ name: label ?? `class ${index}`, score: share, index }));
    case 'classes':
      return finding.classes.map(({ label, index, score }) => ({ name: label ?? `class ${index}`, score, index }));
  }
}

/** In a sentence, for a screen reader. */
export function spoken(finding: Finding): string {
  const rows = rowsOf(finding).slice(0, 5);
  if (rows.length === 0) return `Nothing found with ${percent(leastScore)} or more`;
  return rows.map(({ name, score }) => `${name} ${percent(score)}`).join('; ');
}

/** A row for each; `onWhy` puts a button on those of classes. */
export function showFindings(list: HTMLElement, finding: Finding, onWhy: ((index: number) => void) | null): void {
  const rows = rowsOf(finding);
  if (rows.length === 0) {
    list.replaceChildren(
      html('li', { class: 'finding finding-none' }, `Nothing found with ${percent(leastScore)} or more.`),
    );
    return;
  }
  list.replaceChildren(
    ...rows.map(({ name, score, index }) => {
      const bar = html('span', { class: 'guess-bar' });
      bar.style.setProperty('--share', String(Math.min(1, score)));
      const why =
        onWhy &&
        html('button', { type: 'button', class: 'button why', 'aria-pressed': 'false', 'data-index': index }, 'Why?');
      why?.setAttribute('aria-label', `Why ${name}?`);
      why?.addEventListener('click', () => onWhy!(index));
      return html(
        'li',
        { class: 'finding', 'data-name': name, 'data-score': score },
        html('span', { class: 'finding-name' }, name),
        html('span', { class: 'finding-score' }, percent(score)),
        html('span', { class: 'guess-track', 'aria-hidden': true }, bar),
        why,
      );
    }),
  );
}
