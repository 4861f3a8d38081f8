import { byId } from '../ui/dom.ts';
import { integer } from '../ui/format.ts';
import type { Lesson } from './lesson.ts';
import { type Progress, raceAt } from './race.ts';
import { Scene, type SceneOptions, sceneSize } from './scene.ts';
import { t } from './strings/language.ts';

/** The animated picture: the normal filter in one lane, depthwise and pointwise in the other. */
export class RaceView {
  readonly #stages = {
    normal: byId('normal-stage', HTMLDivElement),
    depthwise: byId('depthwise-stage', HTMLDivElement),
    pointwise: byId('pointwise-stage', HTMLDivElement),
  };
  readonly #captions = {
    normal: byId('normal-caption', HTMLSpanElement),
    depthwise: byId('depthwise-caption', HTMLSpanElement),
    pointwise: byId('pointwise-caption', HTMLSpanElement),
  };
  readonly #meters = {
    normal: byId('normal-meter', HTMLDivElement),
    depthwise: byId('depthwise-meter', HTMLDivElement),
    pointwise: byId('pointwise-meter', HTMLDivElement),
  };
  readonly #normalCount = byId('normal-count', HTMLParagraphElement);
  readonly #separableCount = byId('separable-count', HTMLParagraphElement);
  #lesson: Lesson | null = null;
  #scenes: { normal: Scene; depthwise: Scene; pointwise: Scene } | null = null;
  #width = 0;

  set(lesson: Lesson): void {
    this.#lesson = lesson;
    this.#width = 0;
    this.resize();
  }

  /** Draws the scenes anew where the width changed. */
  resize(): void {
    const width = Math.floor(this.#stages.normal.clientWidth);
    if (!this.#lesson || width === 0 || width === this.#width) return;
    this.#width = width;
    const { sizes, counts } = this.#lesson;
    const options = sceneOptions(sizes, counts.outputSide);
    // One scale for all three, so that equal tensors look equal.
    const cell = Math.min(...Object.values(options).map((scene) => sceneSize(scene, width).cell));
    const make = (scene: SceneOptions) => new Scene(scene, width, cell, sceneSize(scene, width, cell).height);
    this.#scenes = {
      normal: make(options.normal),
      depthwise: make(options.depthwise),
      pointwise: make(options.pointwise),
    };
    for (const name of ['normal', 'depthwise', 'pointwise'] as const) {
      this.#stages[name].replaceChildren(this.#scenes[name].element);
    }
  }

  show(time: number): void {
    if (!this.#lesson) return;
    const { sizes, counts } = this.#lesson;
    const { normal, normalChannel, depthwise, pointwise } = raceAt(time, sizes, counts);
    const most = Math.max(counts.normal, counts.depthwise + counts.pointwise);
    this.#scenes?.normal.show(normal, normalChannel);
    this.#scenes?.depthwise.show(depthwise, null);
    this.#scenes?.pointwise.fillInput(depthwise.finished);
    this.#scenes?.pointwise.show(pointwise, null);
    this.#captions.normal.textContent = caption(
      normal,
      t().filterAt,
      sizes.nk,
      t().filters(sizes.nk, sizes.f, sizes.nc),
    );
    this.#captions.depthwise.textContent = caption(depthwise, t().channelAt, sizes.nc, t().aFilterEach(sizes.f));
    this.#captions.pointwise.textContent = caption(
      pointwise,
      t().filterAt,
      sizes.nk,
      t().filters(sizes.nk, 1, sizes.nc),
    );
    for (const [meter, { done }] of [
      [this.#meters.normal, normal],
      [this.#meters.depthwise, depthwise],
      [this.#meters.pointwise, pointwise],
    ] as const) {
      meter.style.setProperty('--share', String(done / most));
    }
    this.#normalCount.textContent = t().ofMultiplications(integer(Math.floor(normal.done)), integer(counts.normal));
    const separable = depthwise.done + pointwise.done;
    this.#separableCount.textContent = t().ofMultiplications(
      integer(Math.floor(separable)),
      integer(counts.depthwise + counts.pointwise),
    );
  }
}

function caption(
  { at, finished }: Progress,
  where: (sheet: number, of: number, row: number, column: number) => string,
  of: number,
  idle: string,
): string {
  if (at) return where(at.sheet + 1, of, at.row + 1, at.column + 1);
  return finished > 0 ? t().done(idle) : idle;
}

function sceneOptions({ n, f, nc, nk }: Lesson['sizes'], outputSide: number) {
  const input = { inputSide: n, inputChannels: nc, inputColour: 'channels', filterSide: f } as const;
  const output = { outputSide, outputChannels: nk } as const;
  return {
    normal: {
      ...input,
      ...output,
      filterChannels: nc,
      filterColour: 'normal',
      outputColour: 'normal',
      isDepthwise: false,
      label: t().normalLabel(f, nc, nk),
    },
    depthwise: {
      ...input,
      filterChannels: nc,
      filterColour: 'channels',
      outputSide,
      outputChannels: nc,
      outputColour: 'channels',
      isDepthwise: true,
      label: t().depthwiseLabel(f, nc),
    },
    pointwise: {
      ...output,
      inputSide: outputSide,
      inputChannels: nc,
      inputColour: 'channels',
      filterSide: 1,
      filterChannels: nc,
      filterColour: 'pointwise',
      outputColour: 'pointwise',
      isDepthwise: false,
      label: t().pointwiseLabel(nc, nk),
    },
  } as const satisfies Record<string, SceneOptions>;
}
