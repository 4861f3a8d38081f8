import type { SeveralModelsError } from '../../src/index.ts';
import { html } from './dom.ts';

/** A button for each of the models among the files that were handed over. */
export function askWhich(
  place: HTMLElement,
  files: readonly File[],
  { models }: SeveralModelsError,
  onChoice: (files: readonly File[], name: string) => void,
): void {
  const nameOf = (file: File) => file.webkitRelativePath || file.name;
  const buttons = models.map((name) => {
    const button = html('button', { type: 'button', class: 'button' }, name);
    button.addEventListener('click', () => {
      const others = models.filter((other) => other !== name);
      onChoice(
        files.filter((file) => !others.includes(nameOf(file))),
        name,
      );
    });
    return button;
  });
  const lead = `There are ${models.length} models among these files. Which of them?`;
  place.replaceChildren(html('p', { class: 'message-lead' }, lead), html('p', { class: 'model-choice' }, ...buttons));
  place.hidden = false;
}
