import { html } from '../ui/dom.ts';
import { percent } from '../ui/format.ts';

export interface NamedGuess {
  readonly name: string;
  readonly char: string | null;
  readonly score: number;
}

/** Shows five rows; with no guesses, five empty ones, so that nothing moves when the first arrive. */
export function showGuesses(list: HTMLElement, guesses: readonly NamedGuess[]): void {
  const rows = Array.from({ length: 5 }, (_, i) => guesses[i]);
  list.replaceChildren(...rows.map((guess) => (guess ? row(guess) : emptyRow())));
  list.classList.toggle('is-empty', guesses.length === 0);
}

function row({ name, char, score }: NamedGuess): HTMLLIElement {
  const bar = html('span', { class: 'guess-bar' });
  bar.style.setProperty('--share', String(score));
  return html(
    'li',
    { class: 'guess', 'data-name': name, 'data-score': score },
    html('span', { class: 'guess-glyph', 'aria-hidden': char === null }, char ?? '·'),
    html('span', { class: 'guess-name' }, name),
    html('span', { class: 'guess-score' }, percent(score)),
    html('span', { class: 'guess-track', 'aria-hidden': true }, bar),
  );
}

const emptyRow = (): HTMLLIElement =>
  html(
    'li',
    { class: 'guess guess-none', 'aria-hidden': true },
    html('span', { class: 'guess-glyph' }),
    html('span', { class: 'guess-name' }),
    html('span', { class: 'guess-score' }),
    html('span', { class: 'guess-track' }),
  );
