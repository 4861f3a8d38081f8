import type { Model } from '../src/index.ts';
import { keepOffline } from './offline/register.ts';
import type { SeeTab } from './see/see.ts';
import { probeDevice, showDevice } from './ui/device.ts';
import { byId } from './ui/dom.ts';
import { wireDrops } from './ui/files.ts';
import { isPictureFile } from './ui/picture-file.ts';
import { wireTabs } from './ui/tabs.ts';

const chip = byId('device', HTMLParagraphElement);
const chipText = byId('device-text', HTMLSpanElement);
const onModel = (model: Model) => showDevice(model, chip, chipText, byId('notice', HTMLParagraphElement));

/** A tab is loaded when it is first opened. */
const once = <T>(start: () => Promise<T>): (() => Promise<T>) => {
  let started: Promise<T> | undefined;
  return () => {
    started ??= start();
    return started;
  };
};

const parts = {
  see: once(async (): Promise<SeeTab> => (await import('./see/see.ts')).startSee(onModel)),
  draw: once(async () => (await import('./draw/draw.ts')).startDraw(onModel)),
  compare: once(async () => (await import('./compare/compare.ts')).startCompare()),
  learn: once(async () => (await import('./learn/learn.ts')).startLearn()),
};

let shown: keyof typeof parts = 'see';
const show = wireTabs(byId('tabs', HTMLElement), (name) => {
  shown = name as keyof typeof parts;
  void parts[shown]();
});

wireDrops(async (files) => {
  const picture = files.every(isPictureFile) ? files[0] : undefined;
  if (picture) {
    show('see');
    await (await parts.see()).showPicture(picture);
  } else if (shown === 'draw') (await parts.draw()).openModel(files);
  // Compare takes what was opened, and the lesson has no model of its own.
  else await (await parts.see()).openModel(files);
});

void probeDevice(chip, chipText);
// What it fetches comes after what is seen first.
void parts[shown]().then(keepOffline, keepOffline);
