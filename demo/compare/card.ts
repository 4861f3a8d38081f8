/** A result as text to paste elsewhere. */
import { compact, milliseconds } from '../ui/format.ts';
import type { Result } from './result.ts';
import { verdict } from './verdict.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export const stages = ['file read', 'ready', 'first result', 'kernels measured'] as const;

export function markdownOf(result: Result, link: string): string {
  const { model, version, browser, adapter, macs, engines, cold, framesPerSecond, layers } = result;
  return [
    `**${cell(model)}** (${compact(macs)} multiplications), mobilenet-webgpu ${version}, ${browser}, ${cell(adapter)}`,
    '',
    verdict(result),
    '',
    '| engine | median | 95 % interval | runs | first run |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...engines.map(
      ({ name, median, interval, runs, first }) =>
        `| ${name} | ${milliseconds(median)} | ${interval ? `${milliseconds(interval[0])} to ${milliseconds(interval[1])}` : 'too few runs'} | ${runs} | ${milliseconds(first)} |`,
    ),
    '',
    `Cold start: ${stages.flatMap((stage, i) => (cold[i] === null ? [] : [`${stage} ${milliseconds(cold[i]!)}`])).join(', ')}.`,
    ...(framesPerSecond === null ? [] : [`${framesPerSecond} frames a second with three under way.`]),
    ...(layers ? [`${layers[0]} of ${layers[1]} layers within their rounding bounds.`] : []),
    link,
  ].join('\n');
}

export const jsonOf = (result: Result): string => JSON.stringify(result, null, 2);
