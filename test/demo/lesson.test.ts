/** The lesson says the same in each language. */
import { expect, it } from 'vitest';
import { en } from '../../demo/learn/strings/en.ts';
import { ko } from '../../demo/learn/strings/ko.ts';

const numbers = {
  ...{ n: 6, f: 3, nc: 3, nk: 5, out: 4 },
  ...{ normal: '2,160', depthwise: '432', pointwise: '240', sum: '672', ratio: '0.31' },
};

/** Numbers of a text, in order of size: word order differs. */
const figures = (text: string): string[] => (text.match(/\d[\d,.]*/g) ?? []).map((n) => n.replace(/[,.]+$/, '')).sort();

it('has the numbers 2160, 432, 240, 672 and 0.31 in five steps, in both languages', () => {
  const steps = [en, ko].map(({ walk }) => walk.map((step) => step(numbers)));
  expect(steps.map((all) => all.map(([title]) => figures(title)))).toEqual(
    Array(2).fill([['2,160'], ['432'], ['240'], ['672'], ['0.31']]),
  );
  expect(steps[1]!.map(([, text]) => figures(text))).toEqual(steps[0]!.map(([, text]) => figures(text)));
});

it('has Korean for every text, and as many layers a block', () => {
  for (const [key, text] of Object.entries(ko.texts)) {
    expect(text, key).toMatch(/[\uac00-\ud7a3]/);
    expect(en.texts[key as keyof typeof en.texts], key).not.toMatch(/[\uac00-\ud7a3]/);
  }
  for (const name of ['v1', 'v2', 'v3', 'v4'] as const)
    expect(ko.blocks[name].layers.length, name).toBe(en.blocks[name].layers.length);
});
