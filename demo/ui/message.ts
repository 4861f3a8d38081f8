import { MobileNetError } from '../../src/index.ts';
import { html } from './dom.ts';

/** Whether an error only says that the work was called off. */
export const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError';

/** An error in the page's words: its class where it is one of the engine's, and its message. */
export function showError(place: HTMLElement, error: unknown, lead: string): void {
  const message = error instanceof Error ? error.message : String(error);
  const kind = error instanceof MobileNetError ? error.name : 'Unexpected error';
  place.replaceChildren(
    html('p', { class: 'message-lead' }, lead),
    html('p', { class: 'message-text' }, html('code', {}, kind), ' ', message),
  );
  place.hidden = false;
  place.scrollIntoView({ block: 'nearest' });
}

export function clearMessage(place: HTMLElement): void {
  place.hidden = true;
  place.replaceChildren();
}
