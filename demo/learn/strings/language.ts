import { en } from './en.ts';
import { ko } from './ko.ts';
import type { StaticStrings, Strings } from './strings.ts';

export const languages: Readonly<Record<string, Strings>> = { en, ko };

const KEY = 'lesson-language';

/** Of the visitor's choice before, else of the browser's languages; a page without storage has no choice before. */
function first(): Strings {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(KEY);
  } catch {}
  const code = chosen ?? navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => Object.hasOwn(languages, tag));
  return (code && Object.hasOwn(languages, code) && languages[code]) || en;
}

let current = first();

/** What the lesson says now. */
export const t = (): Strings => current;

export function setLanguage(code: string): void {
  current = languages[code] ?? en;
  try {
    localStorage.setItem(KEY, current.code);
  } catch {}
}

/** No line ends within “1 × 1”. */
export const unbroken = (text: string): string => text.replaceAll(' × ', '\u00a0×\u00a0');

/** Fills the elements of index.html that carry `data-text`. */
export function fillTexts(place: HTMLElement): void {
  place.lang = current.code;
  for (const element of place.querySelectorAll<HTMLElement>('[data-text]'))
    element.textContent = unbroken(current.texts[element.dataset.text as keyof StaticStrings]);
}
